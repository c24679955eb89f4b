-- +goose Up
CREATE TABLE catalog_goods (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  unit VARCHAR(10) NOT NULL,
  price_fen BIGINT NOT NULL,
  min_price_bp INT NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
