-- +goose Up
CREATE INDEX member_identities_member ON member_identities (member_id);
