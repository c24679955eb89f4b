-- +goose Up
CREATE TABLE booking_photos (
  id BIGINT NOT NULL PRIMARY KEY,
  booking_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  stage VARCHAR(8) NOT NULL,
  blob_key VARCHAR(120) NOT NULL,
  slot_no INT NOT NULL,
  by_id BIGINT NOT NULL,
  by_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (booking_id, slot_no)
);
