-- +goose Up
CREATE INDEX campaign_gifts_rule ON campaign_gifts (rule_id, id);
