-- +goose Up
CREATE INDEX group_groups_payer ON group_groups (payer_id, id);
