-- +goose Up
CREATE INDEX ledger_postings_member ON ledger_postings (member_id, id);
