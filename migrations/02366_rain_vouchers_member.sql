-- +goose Up
CREATE INDEX rain_vouchers_member ON rain_vouchers (member_id, month);
