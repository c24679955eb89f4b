-- +goose Up
CREATE TABLE shop_bays (
  id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  name VARCHAR(20) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  priority BOOLEAN NOT NULL,
  active BOOLEAN NOT NULL,
  sort_no INT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (store_id, name)
);
