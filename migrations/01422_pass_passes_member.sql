-- +goose Up
CREATE INDEX pass_passes_member ON pass_passes (member_id, state, id);
