-- +goose Up
CREATE INDEX ledger_accounts_kin ON ledger_accounts (merged_into, member_id);
