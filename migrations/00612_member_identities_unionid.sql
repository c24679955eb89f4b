-- +goose Up
CREATE INDEX member_identities_unionid ON member_identities (unionid);
