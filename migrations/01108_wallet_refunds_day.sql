-- +goose Up
CREATE INDEX wallet_refunds_day ON wallet_refunds (store_id, biz_day, id);
