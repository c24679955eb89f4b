-- +goose Up
CREATE INDEX rain_credits_day ON rain_credits (day_id, id);
