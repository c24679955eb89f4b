-- +goose Up
CREATE TABLE slot_blocks (
  id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  resource_id BIGINT NOT NULL,
  resource_kind VARCHAR(16) NOT NULL,
  from_cell BIGINT NOT NULL,
  to_cell BIGINT NOT NULL,
  reason VARCHAR(100) NOT NULL,
  by_name VARCHAR(60) NOT NULL,
  created_at BIGINT NOT NULL
);
