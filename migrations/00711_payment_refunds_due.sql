-- +goose Up
CREATE INDEX payment_refunds_due ON payment_refunds (state, next_try_at, id);
