-- +goose Up
CREATE INDEX oa_moves_day ON oa_moves (day, kind);
