-- +goose Up
CREATE TABLE coupon_holds (
  id BIGINT NOT NULL PRIMARY KEY,
  coupon_id BIGINT NOT NULL,
  live_coupon_id BIGINT NULL UNIQUE,
  alone VARCHAR(40) NULL UNIQUE,
  member_id BIGINT NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  state VARCHAR(12) NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
