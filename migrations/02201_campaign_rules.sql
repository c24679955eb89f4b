-- +goose Up
CREATE TABLE campaign_rules (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  trigger_kind VARCHAR(24) NOT NULL,
  terms TEXT NOT NULL,
  presents TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  deleted BOOLEAN NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
