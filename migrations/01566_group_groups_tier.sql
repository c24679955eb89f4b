-- +goose Up
ALTER TABLE group_groups ADD COLUMN tier_id BIGINT NOT NULL DEFAULT 0;
