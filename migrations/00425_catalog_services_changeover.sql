-- +goose Up
ALTER TABLE catalog_services ADD COLUMN changeover_minutes INT NOT NULL DEFAULT 0;
