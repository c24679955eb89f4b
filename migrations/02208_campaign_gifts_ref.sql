-- +goose Up
CREATE INDEX campaign_gifts_ref ON campaign_gifts (ref_id, source);
