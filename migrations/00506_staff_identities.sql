-- +goose Up
CREATE TABLE staff_identities (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  app VARCHAR(20) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  unionid VARCHAR(64) NOT NULL,
  bound_at BIGINT NOT NULL,
  UNIQUE (app, openid),
  UNIQUE (account_id, app),
  FOREIGN KEY (account_id) REFERENCES staff_accounts (id)
);
