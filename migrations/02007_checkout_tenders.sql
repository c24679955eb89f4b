-- +goose Up
CREATE TABLE checkout_tenders (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  amount_fen BIGINT NOT NULL,
  principal_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  received_fen BIGINT NOT NULL,
  reference VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL,
  FOREIGN KEY (order_id) REFERENCES checkout_orders (id)
);
