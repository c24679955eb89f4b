-- +goose Up
CREATE INDEX member_tickets_expires ON member_tickets (expires_at);
