-- +goose Up
CREATE INDEX oa_inbox_created ON oa_inbox (created_at);
