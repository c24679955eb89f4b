-- +goose Up
CREATE INDEX pass_events_pass ON pass_events (pass_id, id);
