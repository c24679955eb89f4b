-- +goose Up
ALTER TABLE checkout_lines ADD COLUMN net_fen BIGINT NOT NULL DEFAULT 0; -- of items: what is charged after everything
