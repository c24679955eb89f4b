-- +goose Up
CREATE TABLE pass_events (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  detail VARCHAR(200) NOT NULL,
  actor_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);
