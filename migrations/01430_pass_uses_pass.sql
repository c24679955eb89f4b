-- +goose Up
CREATE INDEX pass_uses_pass ON pass_uses (pass_id, biz_day);
