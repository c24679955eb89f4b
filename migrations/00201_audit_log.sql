-- +goose Up
CREATE TABLE audit_log (
  id BIGINT NOT NULL PRIMARY KEY,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_name VARCHAR(100) NOT NULL,
  action VARCHAR(64) NOT NULL,
  subject_kind VARCHAR(32) NOT NULL,
  subject_id BIGINT NOT NULL,
  subject_label VARCHAR(200) NOT NULL,
  store_id BIGINT NOT NULL,
  ip VARCHAR(64) NOT NULL,
  detail TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
