-- +goose Up
CREATE INDEX outreach_tasks_list ON outreach_tasks (kind, state, due_day, id);
