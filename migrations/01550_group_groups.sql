-- +goose Up
CREATE TABLE group_groups (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  name VARCHAR(60) NOT NULL,
  state VARCHAR(16) NOT NULL,
  payer_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  credit_code VARCHAR(18) NOT NULL,
  live_credit VARCHAR(18) NULL UNIQUE,
  contact_sealed TEXT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  reviewed_by VARCHAR(64) NOT NULL,
  reviewed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  ended_at BIGINT NULL
);
