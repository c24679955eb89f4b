-- +goose Up
CREATE INDEX coupon_coupons_template ON coupon_coupons (template_id, state);
