-- +goose Up
ALTER TABLE tier_memberships ADD COLUMN renew_on BOOLEAN NOT NULL DEFAULT FALSE;
