-- +goose Up
CREATE INDEX coupon_coupons_source ON coupon_coupons (source, source_id, first_member_id);
