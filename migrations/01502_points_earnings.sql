-- +goose Up
CREATE TABLE points_earnings (
  id BIGINT NOT NULL PRIMARY KEY,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  clawback_id BIGINT NOT NULL,
  short_points BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (ref_kind, ref_id)
);
