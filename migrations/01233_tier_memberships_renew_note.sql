-- +goose Up
ALTER TABLE tier_memberships ADD COLUMN renew_note VARCHAR(100) NOT NULL DEFAULT '';
