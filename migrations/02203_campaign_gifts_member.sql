-- +goose Up
CREATE INDEX campaign_gifts_member ON campaign_gifts (member_id, id);
