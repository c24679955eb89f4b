-- +goose Up
ALTER TABLE notify_messages ADD COLUMN tried VARCHAR(64) NOT NULL DEFAULT '';
