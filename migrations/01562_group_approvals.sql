-- +goose Up
CREATE TABLE group_approvals (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  driver_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  service_ids VARCHAR(400) NOT NULL,
  goods BOOLEAN NOT NULL,
  title VARCHAR(120) NOT NULL,
  amount_fen BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  asked_by_id BIGINT NOT NULL,
  asked_by_name VARCHAR(64) NOT NULL,
  answer_note VARCHAR(100) NOT NULL,
  order_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  answered_at BIGINT NULL
);
