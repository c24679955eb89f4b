-- +goose Up
CREATE TABLE roster_skills (
  staff_id BIGINT NOT NULL,
  skill VARCHAR(8) NOT NULL,
  level INT NOT NULL,
  PRIMARY KEY (staff_id, skill)
);
