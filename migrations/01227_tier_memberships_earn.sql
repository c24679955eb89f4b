-- +goose Up
CREATE INDEX tier_memberships_earn ON tier_memberships (state, earn_at);
