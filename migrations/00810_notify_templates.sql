-- +goose Up
CREATE TABLE notify_templates (
  channel VARCHAR(20) NOT NULL,
  event VARCHAR(32) NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  sign VARCHAR(32) NOT NULL,
  body VARCHAR(500) NOT NULL,
  layout TEXT NOT NULL,
  broken VARCHAR(200) NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  PRIMARY KEY (channel, event)
);
