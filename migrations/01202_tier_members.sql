-- +goose Up
CREATE TABLE tier_members (
  member_id BIGINT NOT NULL PRIMARY KEY,
  tier_id BIGINT NOT NULL REFERENCES tier_tiers (id),
  reason VARCHAR(200) NOT NULL,
  set_by VARCHAR(60) NOT NULL,
  set_at BIGINT NOT NULL
);
