-- +goose Up
CREATE INDEX member_code_devices_identity ON member_code_devices (identity_id, created_at);
