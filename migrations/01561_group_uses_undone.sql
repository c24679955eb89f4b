-- +goose Up
CREATE INDEX group_uses_undone ON group_uses (group_id, undone_month);
