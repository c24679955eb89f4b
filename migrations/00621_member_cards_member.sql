-- +goose Up
CREATE INDEX member_cards_of ON member_cards (member_id, id);
