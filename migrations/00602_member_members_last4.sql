-- +goose Up
CREATE INDEX member_members_last4 ON member_members (last4_index);
