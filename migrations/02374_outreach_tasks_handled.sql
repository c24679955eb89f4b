-- +goose Up
CREATE INDEX outreach_tasks_handled ON outreach_tasks (kind, handled_at);
