-- +goose Up
ALTER TABLE tier_members ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
