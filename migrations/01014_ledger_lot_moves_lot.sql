-- +goose Up
CREATE INDEX ledger_lot_moves_lot ON ledger_lot_moves (lot_id);
