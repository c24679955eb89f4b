-- +goose Up
CREATE INDEX session_tokens_previous ON session_tokens (previous_hash);
