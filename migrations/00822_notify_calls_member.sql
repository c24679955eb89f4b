-- +goose Up
CREATE INDEX notify_calls_member ON notify_calls (member_id, id);
