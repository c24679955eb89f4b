-- +goose Up
ALTER TABLE campaign_gifts ADD COLUMN basis VARCHAR(200) NOT NULL DEFAULT '';
