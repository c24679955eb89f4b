-- +goose Up
CREATE TABLE pass_uses (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  line_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  service_id BIGINT NOT NULL,
  good_id BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  upgraded BOOLEAN NOT NULL,
  value_fen BIGINT NOT NULL,
  undone BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);
