-- +goose Up
CREATE INDEX tier_uses_member ON tier_uses (member_id, id);
