-- +goose Up
ALTER TABLE catalog_services ADD COLUMN free_cancel_hours INT NOT NULL DEFAULT 0;
