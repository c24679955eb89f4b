-- +goose Up
CREATE TABLE pass_plans (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(64) NOT NULL UNIQUE,
  on_sale BOOLEAN NOT NULL,
  stock BIGINT NOT NULL,
  sold BIGINT NOT NULL,
  sort_no BIGINT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
