-- +goose Up
CREATE TABLE member_charters (
  version BIGINT NOT NULL PRIMARY KEY,
  title VARCHAR(100) NOT NULL,
  body TEXT NOT NULL,
  privacy_body TEXT NOT NULL,
  published_at BIGINT NOT NULL,
  published_by BIGINT NOT NULL
);
