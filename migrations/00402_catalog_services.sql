-- +goose Up
CREATE TABLE catalog_services (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  description VARCHAR(500) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  minutes INT NOT NULL,
  min_price_bp INT NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
