-- +goose Up
CREATE TABLE member_members (
  id BIGINT NOT NULL PRIMARY KEY,
  name_sealed VARCHAR(400) NOT NULL,
  name_index VARCHAR(32) NOT NULL,
  phone_sealed VARCHAR(200) NOT NULL,
  phone_index VARCHAR(32) NULL UNIQUE,
  last4_index VARCHAR(32) NOT NULL,
  phone_verified BOOLEAN NOT NULL,
  gender VARCHAR(8) NOT NULL,
  birthday VARCHAR(10) NOT NULL,
  status VARCHAR(16) NOT NULL,
  status_reason VARCHAR(200) NOT NULL,
  store_id BIGINT NOT NULL,
  charter_version BIGINT NOT NULL,
  charter_at BIGINT NOT NULL,
  joined_at BIGINT NOT NULL,
  created_kind VARCHAR(16) NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  closed_at BIGINT NULL
);
