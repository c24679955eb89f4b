-- +goose Up
CREATE TABLE referral_marks (
  kind VARCHAR(8) NOT NULL,
  mark VARCHAR(32) NOT NULL,
  invite_id BIGINT NOT NULL,
  invitee_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (kind, mark)
);
