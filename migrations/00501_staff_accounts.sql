-- +goose Up
CREATE TABLE staff_accounts (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  username VARCHAR(40) NULL UNIQUE,
  password_hash VARCHAR(200) NOT NULL,
  phone_sealed VARCHAR(200) NOT NULL,
  status VARCHAR(16) NOT NULL,
  status_reason VARCHAR(200) NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_login_at BIGINT NOT NULL
);
