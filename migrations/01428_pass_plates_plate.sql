-- +goose Up
CREATE INDEX pass_plates_plate ON pass_plates (plate);
