-- +goose Up
CREATE TABLE outreach_campaigns (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  filter_doc TEXT NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  sign VARCHAR(32) NOT NULL,
  body VARCHAR(500) NOT NULL,
  layout TEXT NOT NULL,
  state VARCHAR(16) NOT NULL, -- draft, running, paused, stopped, done
  reason VARCHAR(200) NOT NULL,
  found INT NOT NULL,
  promised INT NOT NULL,
  skipped INT NOT NULL,
  after_id BIGINT NOT NULL,
  runs INT NOT NULL,
  segments INT NOT NULL,
  price_li INT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);
