-- +goose Up
CREATE INDEX tier_members_tier ON tier_members (tier_id, member_id);
