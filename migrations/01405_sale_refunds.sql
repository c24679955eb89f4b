-- +goose Up
CREATE TABLE sale_refunds (
  id BIGINT NOT NULL PRIMARY KEY,
  refund_no VARCHAR(24) NOT NULL UNIQUE,
  sale_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  principal_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  method VARCHAR(16) NOT NULL,
  payment_id BIGINT NOT NULL,
  payment_refund_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  posting_id BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);
