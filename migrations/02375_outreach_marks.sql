-- +goose Up
CREATE TABLE outreach_marks (
  name VARCHAR(40) NOT NULL PRIMARY KEY,
  biz_day VARCHAR(10) NOT NULL, -- the day that was gone through whole
  after_id BIGINT NOT NULL
);
