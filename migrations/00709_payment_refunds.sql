-- +goose Up
CREATE TABLE payment_refunds (
  id BIGINT NOT NULL PRIMARY KEY,
  payment_id BIGINT NOT NULL,
  out_refund_no VARCHAR(64) NOT NULL UNIQUE,
  refund_id VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  amount_fen BIGINT NOT NULL,
  reason VARCHAR(80) NOT NULL,
  subject_kind VARCHAR(32) NOT NULL,
  subject_id BIGINT NOT NULL,
  alert VARCHAR(300) NOT NULL,
  tries INT NOT NULL,
  next_try_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL,
  FOREIGN KEY (payment_id) REFERENCES payment_intents (id)
);
