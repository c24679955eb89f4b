-- +goose Up
CREATE TABLE rain_rules (
  id BIGINT NOT NULL PRIMARY KEY, -- 1: there is one
  vouchers BOOLEAN NOT NULL,
  template_id BIGINT NOT NULL,
  hours INT NOT NULL,
  service_ids TEXT NOT NULL,
  min_fen BIGINT NOT NULL,
  per_month INT NOT NULL,
  rebooking BOOLEAN NOT NULL,
  pass_days INT NOT NULL,
  automatic BOOLEAN NOT NULL,
  updated_at BIGINT NOT NULL
);
