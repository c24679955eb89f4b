-- +goose Up
CREATE INDEX group_drivers_member ON group_drivers (member_id, id);
