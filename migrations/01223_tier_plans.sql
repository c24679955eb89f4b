-- +goose Up
CREATE TABLE tier_plans (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(30) NOT NULL UNIQUE,
  plan_kind VARCHAR(16) NOT NULL,
  price_fen BIGINT NOT NULL,
  months INT NOT NULL,
  tier_id BIGINT NOT NULL,
  rights TEXT NOT NULL,
  note VARCHAR(500) NOT NULL,
  image VARCHAR(80) NOT NULL,
  on_sale BOOLEAN NOT NULL,
  sort_no INT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
