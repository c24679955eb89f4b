-- +goose Up
CREATE TABLE points_warnings (
  member_id BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  warned_at BIGINT NOT NULL,
  PRIMARY KEY (member_id, expires_at)
);
