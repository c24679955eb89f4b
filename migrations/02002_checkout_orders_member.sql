-- +goose Up
CREATE INDEX checkout_orders_member ON checkout_orders (member_id, id);
