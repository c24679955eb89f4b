-- +goose Up
CREATE TABLE idem_keys (
  actor VARCHAR(64) NOT NULL,
  idem_key VARCHAR(64) NOT NULL,
  request_hash CHAR(64) NOT NULL,
  response TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (actor, idem_key)
);
