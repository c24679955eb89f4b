-- +goose Up
CREATE INDEX booking_bookings_member ON booking_bookings (member_id, state, id);
