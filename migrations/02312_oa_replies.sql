-- +goose Up
CREATE TABLE oa_replies (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(12) NOT NULL,
  only_one VARCHAR(12) NULL UNIQUE,
  name VARCHAR(60) NOT NULL,
  words TEXT NOT NULL,
  whole BOOLEAN NOT NULL,
  answer TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
