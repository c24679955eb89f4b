-- +goose Up
CREATE TABLE coupon_gifts (
  id BIGINT NOT NULL PRIMARY KEY,
  coupon_id BIGINT NOT NULL,
  from_member BIGINT NOT NULL,
  to_member BIGINT NOT NULL,
  state VARCHAR(12) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
