-- +goose Up
CREATE INDEX rain_days_state ON rain_days (state, id);
