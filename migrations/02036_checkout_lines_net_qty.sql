-- +goose Up
ALTER TABLE checkout_lines ADD COLUMN net_qty BIGINT NOT NULL DEFAULT 0; -- of items: units that neither a cover nor a gift pays
