-- +goose Up
CREATE TABLE points_rules (
  id BIGINT NOT NULL PRIMARY KEY,
  doc TEXT NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
