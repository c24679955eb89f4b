-- +goose Up
CREATE INDEX checkout_tenders_order ON checkout_tenders (order_id);
