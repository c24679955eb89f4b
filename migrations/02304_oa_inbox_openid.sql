-- +goose Up
CREATE INDEX oa_inbox_openid ON oa_inbox (openid);
