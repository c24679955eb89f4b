-- +goose Up
ALTER TABLE catalog_service_prices ADD COLUMN minutes INT NOT NULL DEFAULT 0; -- 0: the service's own
