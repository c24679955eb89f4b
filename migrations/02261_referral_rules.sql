-- +goose Up
CREATE TABLE referral_rules (
  id BIGINT NOT NULL PRIMARY KEY,
  content TEXT NOT NULL,
  updated_by VARCHAR(64) NOT NULL,
  updated_at BIGINT NOT NULL
);
