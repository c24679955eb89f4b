-- +goose Up
ALTER TABLE notify_messages ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
