-- +goose Up
CREATE TABLE tier_runs (
  id BIGINT NOT NULL PRIMARY KEY,
  run_key VARCHAR(40) NOT NULL UNIQUE,
  after_member BIGINT NOT NULL,
  members BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL
);
