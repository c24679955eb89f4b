-- +goose Up
CREATE TABLE tier_tiers (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(20) NOT NULL UNIQUE,
  color CHAR(7) NOT NULL,
  tier_rank INT NOT NULL,
  discount_bp INT NOT NULL,
  default_mark INT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
