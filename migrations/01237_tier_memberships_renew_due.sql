-- +goose Up
CREATE INDEX tier_memberships_renew_due ON tier_memberships (renew_on, ends_at);
