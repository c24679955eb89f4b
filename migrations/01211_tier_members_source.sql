-- +goose Up
ALTER TABLE tier_members ADD COLUMN source VARCHAR(16) NOT NULL DEFAULT 'manual';
