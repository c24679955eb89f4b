-- +goose Up
ALTER TABLE group_drivers ADD COLUMN tier_id BIGINT NOT NULL DEFAULT 0;
