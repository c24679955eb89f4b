-- +goose Up
ALTER TABLE member_members ADD COLUMN merged_into BIGINT NOT NULL DEFAULT 0;
