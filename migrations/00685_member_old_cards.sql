-- +goose Up
CREATE TABLE member_old_cards (
  id BIGINT NOT NULL PRIMARY KEY,
  card_no VARCHAR(32) NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  note VARCHAR(120) NOT NULL,
  store_id BIGINT NOT NULL,
  created_kind VARCHAR(20) NOT NULL,
  created_by BIGINT NOT NULL,
  created_name VARCHAR(100) NOT NULL,
  created_at BIGINT NOT NULL,
  lost_at BIGINT NULL
);
