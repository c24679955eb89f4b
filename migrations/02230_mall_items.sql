-- +goose Up
CREATE TABLE mall_items (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  description VARCHAR(1000) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  subject_id BIGINT NOT NULL,
  image VARCHAR(64) NOT NULL,
  points BIGINT NOT NULL,
  money_fen BIGINT NOT NULL,
  stock BIGINT NOT NULL,
  low_stock BIGINT NOT NULL,
  per_member INT NOT NULL,
  min_tier_id BIGINT NOT NULL,
  ship BOOLEAN NOT NULL,
  sale_from BIGINT NOT NULL,
  sale_to BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  sort_no INT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
