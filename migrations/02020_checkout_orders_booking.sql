-- +goose Up
ALTER TABLE checkout_orders ADD COLUMN booking_id BIGINT NOT NULL DEFAULT 0;
