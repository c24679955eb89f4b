-- +goose Up
CREATE INDEX staff_identities_unionid ON staff_identities (unionid);
