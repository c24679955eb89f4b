-- +goose Up
CREATE INDEX member_tags_tag ON member_tags (tag, member_id);
