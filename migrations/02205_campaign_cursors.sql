-- +goose Up
CREATE TABLE campaign_cursors (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  at_id BIGINT NOT NULL,
  at_day VARCHAR(16) NOT NULL,
  updated_at BIGINT NOT NULL
);
