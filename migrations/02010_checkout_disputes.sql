-- +goose Up
CREATE TABLE checkout_disputes (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  reason VARCHAR(24) NOT NULL,
  note VARCHAR(500) NOT NULL,
  status VARCHAR(16) NOT NULL,
  answer VARCHAR(500) NOT NULL,
  resolved_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  resolved_at BIGINT NULL
);
