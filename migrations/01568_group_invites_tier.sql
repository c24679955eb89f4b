-- +goose Up
ALTER TABLE group_invites ADD COLUMN tier_id BIGINT NOT NULL DEFAULT 0;
