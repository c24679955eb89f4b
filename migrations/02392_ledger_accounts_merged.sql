-- +goose Up
ALTER TABLE ledger_accounts ADD COLUMN merged_into BIGINT NOT NULL DEFAULT 0;
