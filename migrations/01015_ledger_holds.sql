-- +goose Up
CREATE TABLE ledger_holds (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  principal BIGINT NOT NULL,
  bonus BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (ref_kind, ref_id)
);
