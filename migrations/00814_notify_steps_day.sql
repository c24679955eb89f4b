-- +goose Up
CREATE INDEX notify_steps_day ON notify_steps (day, channel, outcome);
