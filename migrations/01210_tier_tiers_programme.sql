-- +goose Up
ALTER TABLE tier_tiers ADD COLUMN programme TEXT NULL;
