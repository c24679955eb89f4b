-- +goose Up
ALTER TABLE checkout_orders ADD COLUMN points_earned BIGINT NOT NULL DEFAULT 0;
