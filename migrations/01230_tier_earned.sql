-- +goose Up
CREATE TABLE tier_earned (
  posting_id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  experience BIGINT NOT NULL,
  earned_posting_id BIGINT NOT NULL,
  undone_posting_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
