-- +goose Up
CREATE INDEX tier_memberships_tier ON tier_memberships (tier_id, state);
