-- +goose Up
CREATE INDEX payment_history_payment ON payment_history (payment_id, id);
