-- +goose Up
CREATE TABLE booking_segments (
  booking_id BIGINT NOT NULL REFERENCES booking_bookings (id),
  seg_no INT NOT NULL,
  bay_kind VARCHAR(16) NOT NULL,
  skill VARCHAR(16) NOT NULL,
  min_level INT NOT NULL,
  bay_id BIGINT NOT NULL,
  technician_id BIGINT NOT NULL,
  from_cell BIGINT NOT NULL,
  to_cell BIGINT NOT NULL,
  service_from BIGINT NOT NULL,
  service_to BIGINT NOT NULL,
  PRIMARY KEY (booking_id, seg_no)
);
