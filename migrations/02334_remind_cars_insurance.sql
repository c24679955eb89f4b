-- +goose Up
CREATE INDEX remind_cars_insurance ON remind_cars (insured_to, vehicle_id);
