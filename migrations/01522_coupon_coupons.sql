-- +goose Up
CREATE TABLE coupon_coupons (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  terms_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  first_member_id BIGINT NOT NULL,
  seq_no BIGINT NOT NULL,
  state VARCHAR(12) NOT NULL,
  source VARCHAR(16) NOT NULL,
  source_id BIGINT NOT NULL,
  dedupe VARCHAR(120) NOT NULL UNIQUE,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  gifted_from BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  warned_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  UNIQUE (template_id, first_member_id, seq_no)
);
