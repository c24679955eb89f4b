-- +goose Up
CREATE INDEX jobs_queue_due ON jobs_queue (state, run_at, id);
