-- +goose Up
ALTER TABLE checkout_lines ADD COLUMN points_each BIGINT NULL; -- of items: their own points when they were sold
