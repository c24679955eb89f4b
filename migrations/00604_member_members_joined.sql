-- +goose Up
CREATE INDEX member_members_joined ON member_members (joined_at, id);
