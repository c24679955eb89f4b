-- +goose Up
CREATE TABLE payment_history (
  id BIGINT NOT NULL PRIMARY KEY,
  payment_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  from_state VARCHAR(16) NOT NULL,
  to_state VARCHAR(16) NOT NULL,
  by_name VARCHAR(100) NOT NULL,
  FOREIGN KEY (payment_id) REFERENCES payment_intents (id)
);
