-- +goose Up
CREATE INDEX ledger_postings_day ON ledger_postings (store_id, biz_day, id);
