-- +goose Up
CREATE TABLE member_identities (
  id BIGINT NOT NULL PRIMARY KEY,
  app VARCHAR(20) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  unionid VARCHAR(64) NOT NULL,
  member_id BIGINT NULL,
  bound_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (app, openid)
);
