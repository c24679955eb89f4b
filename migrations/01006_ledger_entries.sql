-- +goose Up
CREATE TABLE ledger_entries (
  id BIGINT NOT NULL PRIMARY KEY,
  posting_id BIGINT NOT NULL,
  account VARCHAR(32) NOT NULL,
  account_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  unit VARCHAR(16) NOT NULL,
  amount BIGINT NOT NULL,
  balance_after BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  FOREIGN KEY (posting_id) REFERENCES ledger_postings (id)
);
