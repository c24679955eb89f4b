-- +goose Up
CREATE TABLE notify_messages (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  event VARCHAR(32) NOT NULL,
  dedupe_key VARCHAR(120) NOT NULL UNIQUE,
  data TEXT NOT NULL,
  page VARCHAR(200) NOT NULL,
  state VARCHAR(16) NOT NULL,
  detail VARCHAR(200) NOT NULL,
  attempts INT NOT NULL,
  lease_until BIGINT NOT NULL,
  app VARCHAR(32) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);
