-- +goose Up
CREATE INDEX member_old_cards_member ON member_old_cards (member_id);
