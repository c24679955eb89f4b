-- +goose Up
CREATE INDEX slot_blocks_resource ON slot_blocks (resource_id, to_cell);
