-- +goose Up
CREATE INDEX pass_lines_pass ON pass_lines (pass_id, sort_no);
