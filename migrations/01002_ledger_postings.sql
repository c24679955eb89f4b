-- +goose Up
CREATE TABLE ledger_postings (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(24) NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  reverses_id BIGINT NULL UNIQUE,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_name VARCHAR(64) NOT NULL,
  title VARCHAR(120) NOT NULL,
  memo VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL
);
