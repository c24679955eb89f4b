-- +goose Up
CREATE TABLE catalog_service_prices (
  service_id BIGINT NOT NULL REFERENCES catalog_services (id),
  vehicle_class_id BIGINT NOT NULL REFERENCES catalog_vehicle_classes (id),
  price_fen BIGINT NOT NULL,
  PRIMARY KEY (service_id, vehicle_class_id)
);
