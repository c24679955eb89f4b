-- +goose Up
CREATE TABLE roster_shifts (
  id BIGINT NOT NULL PRIMARY KEY,
  staff_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  starts INT NOT NULL,
  ends INT NOT NULL,
  break_starts INT NOT NULL,
  break_ends INT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (staff_id, store_id, biz_day, starts)
);
