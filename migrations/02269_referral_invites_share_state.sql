-- +goose Up
ALTER TABLE referral_invites ADD COLUMN share_state VARCHAR(16) NOT NULL DEFAULT '';
