-- +goose Up
CREATE INDEX pass_passes_due ON pass_passes (state, expires_at, id);
