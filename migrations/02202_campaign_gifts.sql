-- +goose Up
CREATE TABLE campaign_gifts (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  rule_id BIGINT NOT NULL,
  source VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  dedupe VARCHAR(120) NOT NULL UNIQUE,
  title VARCHAR(120) NOT NULL,
  presents TEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
