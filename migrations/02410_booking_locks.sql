-- +goose Up
CREATE TABLE booking_locks (
  id BIGINT NOT NULL PRIMARY KEY
);
