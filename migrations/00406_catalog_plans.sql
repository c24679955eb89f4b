-- +goose Up
CREATE TABLE catalog_plans (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  amount_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  note VARCHAR(100) NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
