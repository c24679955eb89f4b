-- +goose Up
CREATE INDEX merge_merges_into ON merge_merges (into_id, id);
