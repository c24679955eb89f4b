-- +goose Up
CREATE INDEX mall_orders_sale ON mall_orders (sale_id);
