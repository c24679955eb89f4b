-- +goose Up
ALTER TABLE notify_messages ADD COLUMN until_at BIGINT NOT NULL DEFAULT 0;
