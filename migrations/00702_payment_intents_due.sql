-- +goose Up
CREATE INDEX payment_intents_due ON payment_intents (state, next_check_at, id);
