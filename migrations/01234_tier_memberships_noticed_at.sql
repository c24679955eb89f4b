-- +goose Up
ALTER TABLE tier_memberships ADD COLUMN noticed_at BIGINT NOT NULL DEFAULT 0;
