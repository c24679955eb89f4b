-- +goose Up
CREATE INDEX ledger_entries_member ON ledger_entries (member_id, id);
