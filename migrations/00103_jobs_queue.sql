-- +goose Up
CREATE TABLE jobs_queue (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(64) NOT NULL,
  dedupe_key VARCHAR(160) NULL UNIQUE,
  payload TEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  run_at BIGINT NOT NULL,
  attempts INT NOT NULL,
  lease_until BIGINT NOT NULL,
  last_error VARCHAR(500) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);
