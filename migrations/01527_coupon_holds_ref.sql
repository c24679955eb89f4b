-- +goose Up
CREATE INDEX coupon_holds_ref ON coupon_holds (ref_kind, ref_id);
