-- +goose Up
CREATE TABLE oa_menus (
  id BIGINT NOT NULL PRIMARY KEY,
  state VARCHAR(12) NOT NULL,
  current_draft BIGINT NULL UNIQUE,
  buttons TEXT NOT NULL,
  changed_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
