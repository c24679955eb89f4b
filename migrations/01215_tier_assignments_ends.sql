-- +goose Up
CREATE INDEX tier_assignments_ends ON tier_assignments (ends_at, member_id);
