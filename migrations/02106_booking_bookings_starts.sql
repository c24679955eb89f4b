-- +goose Up
CREATE INDEX booking_bookings_starts ON booking_bookings (state, starts_at, id);
