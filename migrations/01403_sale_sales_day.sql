-- +goose Up
CREATE INDEX sale_sales_day ON sale_sales (biz_day, store_id);
