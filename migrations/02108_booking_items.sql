-- +goose Up
CREATE TABLE booking_items (
  booking_id BIGINT NOT NULL REFERENCES booking_bookings (id),
  line_no INT NOT NULL,
  service_id BIGINT NOT NULL,
  title VARCHAR(64) NOT NULL,
  minutes INT NOT NULL,
  price_fen BIGINT NOT NULL,
  PRIMARY KEY (booking_id, line_no)
);
