-- +goose Up
CREATE INDEX oa_moves_scene ON oa_moves (scene, kind);
