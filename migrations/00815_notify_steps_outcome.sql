-- +goose Up
CREATE INDEX notify_steps_outcome ON notify_steps (outcome, message_id);
