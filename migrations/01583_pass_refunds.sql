-- +goose Up
CREATE TABLE pass_refunds (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  plan TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
