-- +goose Up
CREATE TABLE session_tokens (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  subject_id BIGINT NOT NULL,
  access_hash CHAR(64) NOT NULL UNIQUE,
  access_until BIGINT NOT NULL,
  refresh_hash CHAR(64) NOT NULL UNIQUE,
  previous_hash VARCHAR(64) NOT NULL,
  previous_until BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  ip VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT NULL
);
