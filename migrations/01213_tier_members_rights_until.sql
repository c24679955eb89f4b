-- +goose Up
ALTER TABLE tier_members ADD COLUMN rights_until BIGINT NOT NULL DEFAULT 0;
