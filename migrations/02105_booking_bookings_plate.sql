-- +goose Up
CREATE INDEX booking_bookings_plate ON booking_bookings (plate, id);
