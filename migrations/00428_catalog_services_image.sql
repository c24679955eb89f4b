-- +goose Up
ALTER TABLE catalog_services ADD COLUMN image VARCHAR(64) NOT NULL DEFAULT '';
