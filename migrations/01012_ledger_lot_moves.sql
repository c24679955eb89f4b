-- +goose Up
CREATE TABLE ledger_lot_moves (
  id BIGINT NOT NULL PRIMARY KEY,
  posting_id BIGINT NOT NULL,
  lot_id BIGINT NOT NULL,
  amount BIGINT NOT NULL
);
