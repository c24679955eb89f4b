-- +goose Up
CREATE TABLE points_gifts (
  dedupe VARCHAR(100) NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  source VARCHAR(16) NOT NULL,
  posting_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
