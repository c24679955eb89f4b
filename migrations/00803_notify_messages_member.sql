-- +goose Up
CREATE INDEX notify_messages_member ON notify_messages (member_id, id);
