-- +goose Up
CREATE TABLE tier_cursors (
  name VARCHAR(16) NOT NULL PRIMARY KEY,
  last_id BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
