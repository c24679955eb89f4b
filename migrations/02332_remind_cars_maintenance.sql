-- +goose Up
CREATE INDEX remind_cars_maintenance ON remind_cars (maintenance_on, vehicle_id);
