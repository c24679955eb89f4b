-- +goose Up
ALTER TABLE catalog_services ADD COLUMN bookable BOOLEAN NOT NULL DEFAULT TRUE;
