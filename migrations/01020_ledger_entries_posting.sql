-- +goose Up
CREATE INDEX ledger_entries_posting ON ledger_entries (posting_id);
