-- +goose Up
CREATE TABLE tier_changes (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  from_tier_id BIGINT NOT NULL,
  from_name VARCHAR(20) NOT NULL,
  to_tier_id BIGINT NOT NULL,
  to_name VARCHAR(20) NOT NULL,
  source VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  changed_by VARCHAR(60) NOT NULL,
  created_at BIGINT NOT NULL
);
