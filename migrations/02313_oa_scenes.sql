-- +goose Up
CREATE TABLE oa_scenes (
  id BIGINT NOT NULL PRIMARY KEY,
  scene VARCHAR(64) NOT NULL UNIQUE,
  name VARCHAR(60) NOT NULL,
  store_id BIGINT NOT NULL,
  code_text VARCHAR(300) NOT NULL,
  created_at BIGINT NOT NULL
);
