-- +goose Up
ALTER TABLE checkout_orders ADD COLUMN earner_id BIGINT NOT NULL DEFAULT 0;
