-- +goose Up
ALTER TABLE tier_memberships ADD COLUMN renews_id BIGINT NULL;
