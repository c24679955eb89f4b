-- +goose Up
CREATE INDEX booking_waits_member ON booking_waits (member_id, id);
