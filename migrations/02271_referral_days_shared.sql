-- +goose Up
ALTER TABLE referral_days ADD COLUMN shared INT NOT NULL DEFAULT 0;
