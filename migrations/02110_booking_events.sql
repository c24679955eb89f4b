-- +goose Up
CREATE TABLE booking_events (
  id BIGINT NOT NULL PRIMARY KEY,
  booking_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  event_text VARCHAR(300) NOT NULL,
  actor_kind VARCHAR(8) NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_name VARCHAR(64) NOT NULL
);
