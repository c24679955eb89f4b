-- +goose Up
ALTER TABLE referral_invites ADD COLUMN via VARCHAR(16) NOT NULL DEFAULT '';
