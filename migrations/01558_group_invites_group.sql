-- +goose Up
CREATE INDEX group_invites_group ON group_invites (group_id, id);
