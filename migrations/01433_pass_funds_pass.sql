-- +goose Up
CREATE INDEX pass_funds_pass ON pass_funds (pass_id, id);
