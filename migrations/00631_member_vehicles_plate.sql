-- +goose Up
CREATE INDEX member_vehicles_plate ON member_vehicles (plate, id);
