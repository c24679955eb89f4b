-- +goose Up
ALTER TABLE notify_messages ADD COLUMN channel VARCHAR(20) NOT NULL DEFAULT '';
