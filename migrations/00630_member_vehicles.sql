-- +goose Up
CREATE TABLE member_vehicles (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  plate_kind VARCHAR(8) NOT NULL,
  brand VARCHAR(40) NOT NULL,
  model VARCHAR(40) NOT NULL,
  color VARCHAR(20) NOT NULL,
  vehicle_class_id BIGINT NOT NULL,
  marks VARCHAR(200) NOT NULL,
  purchased_on VARCHAR(10) NOT NULL,
  mileage_km BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (member_id, plate),
  FOREIGN KEY (member_id) REFERENCES member_members (id)
);
