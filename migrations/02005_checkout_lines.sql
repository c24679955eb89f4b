-- +goose Up
CREATE TABLE checkout_lines (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  item_id BIGINT NOT NULL,
  title VARCHAR(120) NOT NULL,
  explain_text VARCHAR(200) NOT NULL,
  qty BIGINT NOT NULL,
  unit_fen BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  FOREIGN KEY (order_id) REFERENCES checkout_orders (id)
);
