-- +goose Up
ALTER TABLE catalog_services ADD COLUMN min_level INT NOT NULL DEFAULT 1;
