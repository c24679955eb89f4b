-- +goose Up
CREATE INDEX wallet_refund_parts_refund ON wallet_refund_parts (refund_id);
