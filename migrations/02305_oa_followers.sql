-- +goose Up
CREATE TABLE oa_followers (
  id BIGINT NOT NULL PRIMARY KEY,
  openid VARCHAR(64) NULL UNIQUE,
  unionid VARCHAR(64) NOT NULL,
  person VARCHAR(64) NOT NULL,
  state VARCHAR(12) NOT NULL,
  first_scene VARCHAR(64) NOT NULL,
  scene VARCHAR(64) NOT NULL,
  source VARCHAR(40) NOT NULL,
  follows INT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  left_at BIGINT NOT NULL,
  event_at BIGINT NOT NULL,
  info_at BIGINT NOT NULL,
  gift_at BIGINT NOT NULL
);
