-- +goose Up
ALTER TABLE payment_refunds ADD COLUMN replaced_by BIGINT NOT NULL DEFAULT 0;
