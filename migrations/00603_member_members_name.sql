-- +goose Up
CREATE INDEX member_members_name ON member_members (name_index);
