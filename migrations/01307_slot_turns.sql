-- +goose Up
-- Counts the changes of slot_maps by week: while a sum over these few rows is the same, nothing has changed on any map of those weeks.
CREATE TABLE slot_turns (
  chunk BIGINT NOT NULL,
  lane BIGINT NOT NULL, -- of the store that changes, so that stores hardly meet
  version BIGINT NOT NULL,
  PRIMARY KEY (chunk, lane)
);
