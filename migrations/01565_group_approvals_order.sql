-- +goose Up
CREATE INDEX group_approvals_order ON group_approvals (order_id);
