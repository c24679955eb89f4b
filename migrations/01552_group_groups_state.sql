-- +goose Up
CREATE INDEX group_groups_state ON group_groups (state, id);
