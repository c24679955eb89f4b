-- +goose Up
CREATE INDEX tier_uses_order ON tier_uses (order_id);
