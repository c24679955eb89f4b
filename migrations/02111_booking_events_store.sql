-- +goose Up
CREATE INDEX booking_events_store ON booking_events (store_id, created_at, id);
