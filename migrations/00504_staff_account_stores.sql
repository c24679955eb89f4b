-- +goose Up
CREATE TABLE staff_account_stores (
  account_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, store_id),
  FOREIGN KEY (account_id) REFERENCES staff_accounts (id)
);
