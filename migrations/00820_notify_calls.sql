-- +goose Up
CREATE TABLE notify_calls (
  id BIGINT NOT NULL PRIMARY KEY,
  message_id BIGINT NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  event VARCHAR(32) NOT NULL,
  body VARCHAR(300) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  state VARCHAR(12) NOT NULL,
  note VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(60) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);
