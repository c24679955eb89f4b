-- +goose Up
ALTER TABLE checkout_orders ADD COLUMN recognised_fen BIGINT NOT NULL DEFAULT 0; -- of sold passes, earned by this visit
