-- +goose Up
CREATE TABLE group_documents (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  slot_no INT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  blob_key VARCHAR(120) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (group_id, slot_no)
);
