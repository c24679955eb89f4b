-- +goose Up
CREATE INDEX session_tokens_subject ON session_tokens (kind, subject_id);
