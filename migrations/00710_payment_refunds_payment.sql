-- +goose Up
CREATE INDEX payment_refunds_payment ON payment_refunds (payment_id, id);
