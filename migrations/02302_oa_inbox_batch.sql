-- +goose Up
CREATE INDEX oa_inbox_batch ON oa_inbox (batch_id, state);
