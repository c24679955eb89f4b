-- +goose Up
CREATE INDEX wallet_topups_member ON wallet_topups (member_id, id);
