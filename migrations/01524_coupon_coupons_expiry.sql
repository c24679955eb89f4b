-- +goose Up
CREATE INDEX coupon_coupons_expiry ON coupon_coupons (state, expires_at, id);
