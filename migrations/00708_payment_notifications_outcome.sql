-- +goose Up
CREATE INDEX payment_notifications_outcome ON payment_notifications (outcome, at, id);
