-- +goose Up
CREATE TABLE outreach_holidays (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(20) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  yearly BOOLEAN NOT NULL,
  words VARCHAR(35) NOT NULL,
  greet BOOLEAN NOT NULL,
  tier_ids TEXT NOT NULL,
  template_id BIGINT NOT NULL, -- of the coupon that is given; 0 none
  points INT NOT NULL,
  deleted BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
