-- +goose Up
CREATE TABLE payment_notifications (
  id BIGINT NOT NULL PRIMARY KEY,
  notification_id VARCHAR(64) NULL UNIQUE,
  payment_id BIGINT NULL,
  kind VARCHAR(64) NOT NULL,
  outcome VARCHAR(20) NOT NULL,
  detail VARCHAR(300) NOT NULL,
  http_status INT NOT NULL,
  content TEXT NOT NULL,
  at BIGINT NOT NULL
);
