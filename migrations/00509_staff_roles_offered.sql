-- +goose Up
ALTER TABLE staff_roles ADD COLUMN offered VARCHAR(2000) NOT NULL DEFAULT '';
