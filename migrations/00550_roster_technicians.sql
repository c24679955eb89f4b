-- +goose Up
CREATE TABLE roster_technicians (
  staff_id BIGINT NOT NULL PRIMARY KEY,
  bookable BOOLEAN NOT NULL,
  updated_at BIGINT NOT NULL
);
