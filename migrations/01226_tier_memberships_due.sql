-- +goose Up
CREATE INDEX tier_memberships_due ON tier_memberships (state, ends_at);
