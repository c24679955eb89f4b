-- +goose Up
-- Not on remaining, which every settlement changes: an index on it would be rewritten each time.
CREATE INDEX ledger_lots_open ON ledger_lots (account_id);
