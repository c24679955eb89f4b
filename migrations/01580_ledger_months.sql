-- +goose Up
CREATE TABLE ledger_months (
  biz_month CHAR(7) NOT NULL,
  account VARCHAR(32) NOT NULL,
  unit VARCHAR(16) NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (biz_month, account, unit)
);
