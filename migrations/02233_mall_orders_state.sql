-- +goose Up
CREATE INDEX mall_orders_state ON mall_orders (state, id);
