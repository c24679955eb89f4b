-- +goose Up
CREATE INDEX notify_receipts_created ON notify_receipts (created_at);
