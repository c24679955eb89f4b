-- +goose Up
CREATE TABLE remind_runs (
  day CHAR(10) NOT NULL,
  event VARCHAR(32) NOT NULL,
  after_day VARCHAR(10) NOT NULL,
  after_id BIGINT NOT NULL,
  looked BIGINT NOT NULL,
  told BIGINT NOT NULL,
  ahead VARCHAR(200) NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  PRIMARY KEY (day, event)
);
