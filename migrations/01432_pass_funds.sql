-- +goose Up
CREATE TABLE pass_funds (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  sale_id BIGINT NOT NULL UNIQUE,
  kind VARCHAR(16) NOT NULL,
  times BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
