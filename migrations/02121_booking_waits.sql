-- +goose Up
CREATE TABLE booking_waits (
  id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  vehicle_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  service_ids VARCHAR(200) NOT NULL,
  title VARCHAR(120) NOT NULL,
  from_day CHAR(10) NOT NULL,
  to_day CHAR(10) NOT NULL,
  from_minute INT NOT NULL,
  to_minute INT NOT NULL,
  ends_at BIGINT NOT NULL,
  priority BOOLEAN NOT NULL,
  state VARCHAR(16) NOT NULL,
  booking_id BIGINT NOT NULL,
  offer_expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
