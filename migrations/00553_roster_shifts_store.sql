-- +goose Up
CREATE INDEX roster_shifts_store ON roster_shifts (store_id, biz_day);
