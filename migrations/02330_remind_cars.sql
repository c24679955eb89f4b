-- +goose Up
CREATE TABLE remind_cars (
  vehicle_id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  registered_on VARCHAR(10) NOT NULL,
  inspected_to VARCHAR(10) NOT NULL,
  insured_to VARCHAR(10) NOT NULL,
  serviced_on VARCHAR(10) NOT NULL,
  serviced_km BIGINT NOT NULL,
  every_km BIGINT NOT NULL,
  every_months INT NOT NULL,
  km BIGINT NOT NULL,
  km_on VARCHAR(10) NOT NULL,
  seen_on VARCHAR(10) NOT NULL,
  maintenance_on VARCHAR(10) NOT NULL,
  inspection_on VARCHAR(10) NOT NULL,
  updated_at BIGINT NOT NULL
);
