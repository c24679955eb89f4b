-- +goose Up
CREATE TABLE notify_pace (
  member_id BIGINT NOT NULL,
  day CHAR(10) NOT NULL,
  taken INT NOT NULL,
  PRIMARY KEY (member_id, day)
);
