-- +goose Up
CREATE TABLE member_links (
  code_hash CHAR(32) NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  identity_id BIGINT NOT NULL,
  app VARCHAR(20) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  used_by BIGINT NOT NULL
);
