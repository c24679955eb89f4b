-- +goose Up
CREATE TABLE group_invites (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  code_hash CHAR(64) NOT NULL UNIQUE,
  card_kind VARCHAR(16) NOT NULL,
  note VARCHAR(40) NOT NULL,
  until_day VARCHAR(10) NOT NULL,
  rules TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  revoked_at BIGINT NULL,
  driver_id BIGINT NOT NULL
);
