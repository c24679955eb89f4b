-- +goose Up
CREATE INDEX coupon_coupons_member ON coupon_coupons (member_id, state);
