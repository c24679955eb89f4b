-- +goose Up
CREATE INDEX checkout_orders_earner_day ON checkout_orders (earner_id, biz_day);
