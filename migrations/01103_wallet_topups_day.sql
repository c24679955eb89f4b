-- +goose Up
CREATE INDEX wallet_topups_day ON wallet_topups (store_id, biz_day, id);
