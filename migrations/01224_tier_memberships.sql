-- +goose Up
CREATE TABLE tier_memberships (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  plan_id BIGINT NOT NULL,
  sale_id BIGINT NOT NULL UNIQUE,
  snapshot TEXT NOT NULL,
  tier_id BIGINT NOT NULL,
  price_fen BIGINT NOT NULL,
  earned_fen BIGINT NOT NULL,
  earn_at BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  warned BOOLEAN NOT NULL,
  state VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL
);
