-- +goose Up
CREATE INDEX wallet_refunds_member ON wallet_refunds (member_id, id);
