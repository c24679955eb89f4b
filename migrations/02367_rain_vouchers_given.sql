-- +goose Up
CREATE INDEX rain_vouchers_given ON rain_vouchers (state, given_at, id);
