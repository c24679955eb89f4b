-- +goose Up
CREATE TABLE coupon_claims (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  claim_code VARCHAR(20) NOT NULL UNIQUE,
  title VARCHAR(40) NOT NULL,
  note VARCHAR(200) NOT NULL,
  stock BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  per_member BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
