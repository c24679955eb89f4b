-- +goose Up
CREATE TABLE group_drivers (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  live_key VARCHAR(48) NULL UNIQUE,
  card_kind VARCHAR(16) NOT NULL,
  note VARCHAR(40) NOT NULL,
  until_day VARCHAR(10) NOT NULL,
  rules TEXT NOT NULL,
  joined_at BIGINT NOT NULL,
  ended_at BIGINT NULL,
  end_reason VARCHAR(16) NOT NULL
);
