-- +goose Up
CREATE INDEX group_approvals_driver ON group_approvals (driver_id, state, expires_at);
