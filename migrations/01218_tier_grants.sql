-- +goose Up
CREATE TABLE tier_grants (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  right_id BIGINT NOT NULL,
  period VARCHAR(32) NOT NULL,
  granted BIGINT NOT NULL,
  used BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  expires_at BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (member_id, right_id, period)
);
