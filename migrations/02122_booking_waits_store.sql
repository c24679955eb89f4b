-- +goose Up
CREATE INDEX booking_waits_store ON booking_waits (state, store_id, id);
