-- +goose Up
CREATE INDEX booking_bookings_day ON booking_bookings (store_id, biz_day, starts_at, id);
