-- +goose Up
CREATE TABLE remind_terms (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  terms TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);
