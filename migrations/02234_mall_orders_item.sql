-- +goose Up
CREATE INDEX mall_orders_item ON mall_orders (item_id, member_id, state);
