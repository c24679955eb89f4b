-- +goose Up
CREATE TABLE campaign_batches (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  partner VARCHAR(80) NOT NULL,
  presents TEXT NOT NULL,
  code_count INT NOT NULL,
  per_member INT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  created_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  exported_by VARCHAR(64) NOT NULL,
  exported_at BIGINT NOT NULL,
  stopped_at BIGINT NOT NULL
);
