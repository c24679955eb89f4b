-- +goose Up
ALTER TABLE checkout_orders ADD COLUMN payer_id BIGINT NOT NULL DEFAULT 0; -- the member whose wallet the group tender took from
