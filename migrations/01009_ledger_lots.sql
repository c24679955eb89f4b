-- +goose Up
CREATE TABLE ledger_lots (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  unit VARCHAR(16) NOT NULL,
  posting_id BIGINT NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  remaining BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
