-- +goose Up
CREATE INDEX checkout_orders_day ON checkout_orders (store_id, biz_day, id);
