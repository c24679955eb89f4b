-- +goose Up
CREATE TABLE group_uses (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  driver_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL UNIQUE,
  store_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  amount_fen BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  biz_month CHAR(7) NOT NULL,
  state VARCHAR(8) NOT NULL,
  approval_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  undone_month VARCHAR(7) NOT NULL,
  undone_at BIGINT NULL
);
