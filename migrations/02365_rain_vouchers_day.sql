-- +goose Up
CREATE INDEX rain_vouchers_day ON rain_vouchers (day_id, id);
