-- +goose Up
CREATE INDEX booking_bookings_due ON booking_bookings (state, hold_expires_at, id);
