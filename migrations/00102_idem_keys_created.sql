-- +goose Up
CREATE INDEX idem_keys_created ON idem_keys (created_at);
