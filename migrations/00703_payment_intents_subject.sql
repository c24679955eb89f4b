-- +goose Up
CREATE INDEX payment_intents_subject ON payment_intents (purpose, subject_id, id);
