-- +goose Up
CREATE INDEX pass_refunds_pass ON pass_refunds (pass_id, id);
