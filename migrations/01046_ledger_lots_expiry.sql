-- +goose Up
-- What expires is found oldest first without reading what is long empty of other units.
CREATE INDEX ledger_lots_expiry ON ledger_lots (unit, expires_at, id);
