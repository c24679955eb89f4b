-- +goose Up
ALTER TABLE booking_bookings ADD COLUMN vehicle_id BIGINT NOT NULL DEFAULT 0;
