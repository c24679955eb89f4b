-- +goose Up
CREATE TABLE member_scans (
  id BIGINT NOT NULL PRIMARY KEY,
  device_no CHAR(9) NOT NULL,
  step BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  vehicle_id BIGINT NOT NULL,
  cap_fen BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  UNIQUE (device_no, step)
);
