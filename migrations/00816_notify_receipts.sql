-- +goose Up
CREATE TABLE notify_receipts (
  app VARCHAR(32) NOT NULL,
  remote_id VARCHAR(64) NOT NULL,
  message_id BIGINT NOT NULL,
  status VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (app, remote_id)
);
