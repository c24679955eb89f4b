-- +goose Up
CREATE TABLE catalog_service_stores (
  service_id BIGINT NOT NULL REFERENCES catalog_services (id),
  store_id BIGINT NOT NULL,
  PRIMARY KEY (service_id, store_id)
);
