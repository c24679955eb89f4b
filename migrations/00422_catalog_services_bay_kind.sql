-- +goose Up
ALTER TABLE catalog_services ADD COLUMN bay_kind VARCHAR(8) NOT NULL DEFAULT '-'; -- a dash: by the service's kind
