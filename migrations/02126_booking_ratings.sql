-- +goose Up
CREATE TABLE booking_ratings (
  booking_id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  technician_id BIGINT NOT NULL,
  stars INT NOT NULL,
  tags VARCHAR(200) NOT NULL,
  note VARCHAR(500) NOT NULL,
  created_at BIGINT NOT NULL
);
