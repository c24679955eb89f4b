-- +goose Up
CREATE INDEX slot_cells_owner ON slot_cells (owner_id);
