-- +goose Up
CREATE TABLE notify_preferences (
  member_id BIGINT NOT NULL PRIMARY KEY,
  off_groups VARCHAR(120) NOT NULL,
  sms BOOLEAN NOT NULL,
  calls BOOLEAN NOT NULL,
  marketing BOOLEAN NOT NULL,
  from_minute INT NOT NULL,
  to_minute INT NOT NULL,
  updated_at BIGINT NOT NULL
);
