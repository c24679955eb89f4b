-- +goose Up
ALTER TABLE member_identities ADD COLUMN merged_from BIGINT NOT NULL DEFAULT 0;
