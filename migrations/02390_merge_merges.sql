-- +goose Up
CREATE TABLE merge_merges (
  id BIGINT NOT NULL PRIMARY KEY,
  from_id BIGINT NOT NULL UNIQUE,
  into_id BIGINT NOT NULL,
  from_card_no VARCHAR(12) NOT NULL,
  into_card_no VARCHAR(12) NOT NULL,
  principal_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  points BIGINT NOT NULL,
  points_debt BIGINT NOT NULL,
  experience BIGINT NOT NULL,
  uses BIGINT NOT NULL,
  out_posting_id BIGINT NOT NULL,
  in_posting_id BIGINT NOT NULL,
  moved TEXT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);
