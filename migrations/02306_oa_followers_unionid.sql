-- +goose Up
CREATE INDEX oa_followers_unionid ON oa_followers (unionid);
