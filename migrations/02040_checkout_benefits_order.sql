-- +goose Up
CREATE INDEX checkout_benefits_order ON checkout_benefits (order_id);
