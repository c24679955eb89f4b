-- +goose Up
CREATE TABLE staff_roles (
  id BIGINT NOT NULL PRIMARY KEY,
  role_key VARCHAR(32) NOT NULL UNIQUE,
  name VARCHAR(40) NOT NULL,
  permissions TEXT NOT NULL,
  sort_no BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
