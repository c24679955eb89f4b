-- +goose Up
CREATE INDEX remind_cars_member ON remind_cars (member_id);
