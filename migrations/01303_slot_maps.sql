-- +goose Up
-- The cells once more, as bits: what a search reads and what a change locks first.
CREATE TABLE slot_maps (
  resource_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL, -- cell / 2048: about a week
  version BIGINT NOT NULL, -- grows with every change: the sum over many rows says whether any of them changed
  bits VARBINARY(256) NOT NULL,
  PRIMARY KEY (resource_id, chunk)
);
