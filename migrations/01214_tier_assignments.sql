-- +goose Up
CREATE TABLE tier_assignments (
  member_id BIGINT NOT NULL PRIMARY KEY,
  tier_id BIGINT NOT NULL,
  fixed BOOLEAN NOT NULL,
  reason VARCHAR(200) NOT NULL,
  set_by VARCHAR(60) NOT NULL,
  set_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  FOREIGN KEY (tier_id) REFERENCES tier_tiers (id)
);
