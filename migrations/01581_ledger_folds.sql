-- +goose Up
CREATE TABLE ledger_folds (
  id INT NOT NULL PRIMARY KEY,
  after_id BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
