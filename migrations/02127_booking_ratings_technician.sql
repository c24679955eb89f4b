-- +goose Up
CREATE INDEX booking_ratings_technician ON booking_ratings (technician_id, stars);
