-- +goose Up
CREATE TABLE outreach_runs (
  holiday_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  after_id BIGINT NOT NULL,
  greeted INT NOT NULL,
  gifted INT NOT NULL,
  done_at BIGINT NOT NULL,
  PRIMARY KEY (holiday_id, biz_day),
  FOREIGN KEY (holiday_id) REFERENCES outreach_holidays (id)
);
