-- +goose Up
CREATE TABLE ledger_accounts (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  unit VARCHAR(16) NOT NULL,
  balance BIGINT NOT NULL,
  held BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (member_id, unit)
);
