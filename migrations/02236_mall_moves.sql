-- +goose Up
CREATE TABLE mall_moves (
  id BIGINT NOT NULL PRIMARY KEY,
  item_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  amount BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  by_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);
