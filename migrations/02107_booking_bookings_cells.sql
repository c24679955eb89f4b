-- +goose Up
CREATE INDEX booking_bookings_cells ON booking_bookings (store_id, to_cell, from_cell);
