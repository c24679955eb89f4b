-- +goose Up
CREATE TABLE oa_moves (
  id BIGINT NOT NULL PRIMARY KEY,
  follower_id BIGINT NOT NULL,
  kind VARCHAR(12) NOT NULL,
  scene VARCHAR(64) NOT NULL,
  day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL
);
