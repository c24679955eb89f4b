-- +goose Up
ALTER TABLE catalog_services ADD COLUMN skill VARCHAR(8) NOT NULL DEFAULT '-'; -- a dash: by the service's kind
