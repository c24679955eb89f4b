-- +goose Up
CREATE TABLE referral_codes (
  member_id BIGINT NOT NULL PRIMARY KEY,
  code VARCHAR(12) NOT NULL UNIQUE,
  picture VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);
