-- +goose Up
CREATE INDEX mall_moves_item ON mall_moves (item_id, id);
