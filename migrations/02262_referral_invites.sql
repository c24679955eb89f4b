-- +goose Up
CREATE TABLE referral_invites (
  id BIGINT NOT NULL PRIMARY KEY,
  inviter_id BIGINT NOT NULL,
  invitee_id BIGINT NOT NULL UNIQUE,
  state VARCHAR(16) NOT NULL,
  flags VARCHAR(120) NOT NULL,
  accepted BOOLEAN NOT NULL,
  ip_index VARCHAR(32) NOT NULL,
  paid_fen BIGINT NOT NULL,
  reward_day VARCHAR(10) NOT NULL,
  reward_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  decided_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
