-- +goose Up
CREATE TABLE notify_grants (
  app VARCHAR(32) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  left_count INT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (app, openid, template_id)
);
