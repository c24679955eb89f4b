-- +goose Up
ALTER TABLE booking_bookings ADD COLUMN order_paid BOOLEAN NOT NULL DEFAULT FALSE;
