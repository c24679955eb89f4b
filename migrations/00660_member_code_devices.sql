-- +goose Up
CREATE TABLE member_code_devices (
  device_no CHAR(9) NOT NULL PRIMARY KEY,
  identity_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  name VARCHAR(60) NOT NULL,
  secret_sealed VARCHAR(200) NOT NULL,
  store_id BIGINT NOT NULL,
  vehicle_id BIGINT NOT NULL,
  cap_fen BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT NULL
);
