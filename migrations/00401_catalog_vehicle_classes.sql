-- +goose Up
CREATE TABLE catalog_vehicle_classes (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  example VARCHAR(100) NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
