-- +goose Up
CREATE TABLE coupon_terms (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  doc TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
