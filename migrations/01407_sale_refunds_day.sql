-- +goose Up
CREATE INDEX sale_refunds_day ON sale_refunds (biz_day, store_id);
