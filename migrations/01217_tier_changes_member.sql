-- +goose Up
CREATE INDEX tier_changes_member ON tier_changes (member_id, id);
