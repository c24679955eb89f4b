-- +goose Up
CREATE INDEX coupon_holds_coupon ON coupon_holds (coupon_id);
