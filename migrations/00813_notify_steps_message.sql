-- +goose Up
CREATE INDEX notify_steps_message ON notify_steps (message_id, id);
