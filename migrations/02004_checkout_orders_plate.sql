-- +goose Up
CREATE INDEX checkout_orders_plate ON checkout_orders (plate, id);
