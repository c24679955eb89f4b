-- +goose Up
CREATE INDEX member_members_kin ON member_members (merged_into, id);
