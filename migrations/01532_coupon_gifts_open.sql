-- +goose Up
CREATE INDEX coupon_gifts_open ON coupon_gifts (state, expires_at);
