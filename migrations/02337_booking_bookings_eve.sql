-- +goose Up
ALTER TABLE booking_bookings ADD COLUMN eve_of BIGINT NOT NULL DEFAULT 0;
