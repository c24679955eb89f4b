-- +goose Up
ALTER TABLE catalog_services ADD COLUMN points_each BIGINT NULL; -- points for one, instead of by ratio
