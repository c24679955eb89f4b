-- +goose Up
CREATE INDEX ledger_lot_moves_posting ON ledger_lot_moves (posting_id);
