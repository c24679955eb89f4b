-- +goose Up
CREATE INDEX booking_events_booking ON booking_events (booking_id, id);
