-- +goose Up
CREATE INDEX mall_orders_member ON mall_orders (member_id, id);
