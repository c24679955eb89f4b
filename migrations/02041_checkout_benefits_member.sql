-- +goose Up
CREATE INDEX checkout_benefits_member ON checkout_benefits (member_id, id);
