-- +goose Up
CREATE INDEX member_links_identity ON member_links (identity_id);
