-- +goose Up
ALTER TABLE checkout_orders ADD COLUMN benefit_posting_id BIGINT NOT NULL DEFAULT 0; -- uses and points that it took
