-- +goose Up
CREATE TABLE notify_steps (
  id BIGINT NOT NULL PRIMARY KEY,
  message_id BIGINT NOT NULL,
  day CHAR(10) NOT NULL,
  channel VARCHAR(20) NOT NULL,
  outcome VARCHAR(16) NOT NULL,
  code VARCHAR(80) NOT NULL,
  detail VARCHAR(200) NOT NULL,
  at BIGINT NOT NULL
);
