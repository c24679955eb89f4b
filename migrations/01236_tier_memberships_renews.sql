-- +goose Up
CREATE UNIQUE INDEX tier_memberships_renews ON tier_memberships (renews_id);
