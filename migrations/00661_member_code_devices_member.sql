-- +goose Up
CREATE INDEX member_code_devices_member ON member_code_devices (member_id, created_at);
