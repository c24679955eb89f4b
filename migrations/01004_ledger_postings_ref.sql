-- +goose Up
CREATE INDEX ledger_postings_ref ON ledger_postings (ref_kind, ref_id);
