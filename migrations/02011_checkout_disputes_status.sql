-- +goose Up
CREATE INDEX checkout_disputes_status ON checkout_disputes (status, id);
