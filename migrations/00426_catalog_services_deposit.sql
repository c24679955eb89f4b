-- +goose Up
ALTER TABLE catalog_services ADD COLUMN deposit_fen BIGINT NOT NULL DEFAULT 0;
