-- +goose Up
CREATE INDEX notify_calls_state ON notify_calls (state, id);
