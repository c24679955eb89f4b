-- +goose Up
CREATE INDEX group_approvals_payer ON group_approvals (payer_id, id);
