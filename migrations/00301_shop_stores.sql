-- +goose Up
CREATE TABLE shop_stores (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  address VARCHAR(200) NOT NULL,
  phone VARCHAR(30) NOT NULL,
  timezone VARCHAR(64) NOT NULL,
  hours_text VARCHAR(100) NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
