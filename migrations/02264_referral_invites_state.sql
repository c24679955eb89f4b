-- +goose Up
CREATE INDEX referral_invites_state ON referral_invites (state, id);
