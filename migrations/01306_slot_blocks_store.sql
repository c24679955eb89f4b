-- +goose Up
CREATE INDEX slot_blocks_store ON slot_blocks (store_id, to_cell);
