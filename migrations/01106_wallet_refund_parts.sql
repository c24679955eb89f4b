-- +goose Up
CREATE TABLE wallet_refund_parts (
  id BIGINT NOT NULL PRIMARY KEY,
  refund_id BIGINT NOT NULL,
  topup_id BIGINT NOT NULL,
  payment_id BIGINT NOT NULL,
  payment_refund_id BIGINT NOT NULL,
  method VARCHAR(16) NOT NULL,
  amount_fen BIGINT NOT NULL,
  bonus_back_fen BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  FOREIGN KEY (refund_id) REFERENCES wallet_refunds (id)
);
