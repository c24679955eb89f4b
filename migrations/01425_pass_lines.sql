-- +goose Up
CREATE TABLE pass_lines (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  sort_no BIGINT NOT NULL,
  title VARCHAR(64) NOT NULL,
  counted BOOLEAN NOT NULL,
  times BIGINT NOT NULL,
  left_uses BIGINT NOT NULL,
  lost_uses BIGINT NOT NULL,
  value_fen BIGINT NOT NULL,
  lost_fen BIGINT NOT NULL,
  list_fen BIGINT NOT NULL,
  service_ids TEXT NOT NULL,
  good_ids TEXT NOT NULL
);
