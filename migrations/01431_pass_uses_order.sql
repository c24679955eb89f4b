-- +goose Up
CREATE INDEX pass_uses_order ON pass_uses (order_id);
