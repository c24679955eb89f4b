-- +goose Up
CREATE INDEX booking_waits_booking ON booking_waits (booking_id);
