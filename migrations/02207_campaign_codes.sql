-- +goose Up
CREATE TABLE campaign_codes (
  id BIGINT NOT NULL PRIMARY KEY,
  batch_id BIGINT NOT NULL REFERENCES campaign_batches (id),
  code_hash VARCHAR(64) NOT NULL UNIQUE,
  tail VARCHAR(4) NOT NULL,
  member_id BIGINT NULL,
  use_no INT NULL,
  used_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (batch_id, member_id, use_no)
);
