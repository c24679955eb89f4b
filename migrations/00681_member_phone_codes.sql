-- +goose Up
CREATE TABLE member_phone_codes (
  id BIGINT NOT NULL PRIMARY KEY,
  identity_id BIGINT NOT NULL,
  phone_index CHAR(32) NOT NULL,
  code_hash CHAR(32) NOT NULL,
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  UNIQUE (identity_id, phone_index)
);
