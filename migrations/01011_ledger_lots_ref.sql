-- +goose Up
CREATE INDEX ledger_lots_ref ON ledger_lots (ref_kind, ref_id);
