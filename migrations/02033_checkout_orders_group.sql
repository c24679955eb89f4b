-- +goose Up
ALTER TABLE checkout_orders ADD COLUMN group_id BIGINT NOT NULL DEFAULT 0;
