-- +goose Up
CREATE TABLE catalog_plan_stores (
  plan_id BIGINT NOT NULL REFERENCES catalog_plans (id),
  store_id BIGINT NOT NULL,
  PRIMARY KEY (plan_id, store_id)
);
