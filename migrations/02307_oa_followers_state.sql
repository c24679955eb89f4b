-- +goose Up
CREATE INDEX oa_followers_state ON oa_followers (state, id);
