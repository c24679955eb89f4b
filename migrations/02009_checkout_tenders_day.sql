-- +goose Up
CREATE INDEX checkout_tenders_day ON checkout_tenders (store_id, biz_day);
