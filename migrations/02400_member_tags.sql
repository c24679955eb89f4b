-- +goose Up
CREATE TABLE member_tags (
  member_id BIGINT NOT NULL REFERENCES member_members (id),
  tag VARCHAR(12) NOT NULL,
  PRIMARY KEY (member_id, tag)
);
