-- +goose Up
ALTER TABLE catalog_goods ADD COLUMN points_each BIGINT NULL; -- points for one, instead of by ratio
