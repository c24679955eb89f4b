-- +goose Up
CREATE TABLE notify_rules (
  event VARCHAR(32) NOT NULL PRIMARY KEY,
  enabled BOOLEAN NOT NULL,
  sms BOOLEAN NOT NULL,
  calls BOOLEAN NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);
