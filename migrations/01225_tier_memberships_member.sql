-- +goose Up
CREATE INDEX tier_memberships_member ON tier_memberships (member_id, id);
