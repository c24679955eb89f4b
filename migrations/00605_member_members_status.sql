-- +goose Up
CREATE INDEX member_members_status ON member_members (status, id);
