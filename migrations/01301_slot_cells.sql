-- +goose Up
-- The primary key is what makes a double booking impossible to write.
CREATE TABLE slot_cells (
  resource_id BIGINT NOT NULL,
  cell BIGINT NOT NULL, -- unix seconds / 300
  store_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  PRIMARY KEY (resource_id, cell)
);
