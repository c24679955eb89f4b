-- +goose Up
CREATE TABLE member_attempts (
  bucket VARCHAR(100) NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  window_until BIGINT NOT NULL
);
