-- +goose Up
CREATE INDEX booking_ratings_created ON booking_ratings (created_at, booking_id);
