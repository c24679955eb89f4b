-- +goose Up
CREATE INDEX group_drivers_group ON group_drivers (group_id, id);
