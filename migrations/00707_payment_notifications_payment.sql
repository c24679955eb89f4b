-- +goose Up
CREATE INDEX payment_notifications_payment ON payment_notifications (payment_id, id);
