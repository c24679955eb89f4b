-- +goose Up
CREATE INDEX outreach_tasks_member ON outreach_tasks (member_id, state);
