-- +goose Up
ALTER TABLE catalog_services ADD COLUMN booking_kinds VARCHAR(100) NOT NULL DEFAULT 'visit';
