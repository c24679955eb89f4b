-- +goose Up
CREATE INDEX pass_passes_plan ON pass_passes (plan_id, member_id);
