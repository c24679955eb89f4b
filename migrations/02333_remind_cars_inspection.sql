-- +goose Up
CREATE INDEX remind_cars_inspection ON remind_cars (inspection_on, vehicle_id);
