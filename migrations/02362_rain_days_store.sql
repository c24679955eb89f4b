-- +goose Up
CREATE INDEX rain_days_store ON rain_days (store_id, biz_day, id);
