-- +goose Up
CREATE INDEX ledger_lots_open ON ledger_lots (account_id, remaining);
