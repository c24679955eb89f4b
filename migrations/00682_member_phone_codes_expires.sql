-- +goose Up
CREATE INDEX member_phone_codes_expires ON member_phone_codes (expires_at);
