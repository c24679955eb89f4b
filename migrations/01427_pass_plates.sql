-- +goose Up
CREATE TABLE pass_plates (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  bound_at BIGINT NOT NULL,
  UNIQUE (pass_id, plate)
);
