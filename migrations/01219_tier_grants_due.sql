-- +goose Up
CREATE INDEX tier_grants_due ON tier_grants (state, expires_at);
