-- +goose Up
CREATE INDEX referral_invites_share ON referral_invites (share_state, created_at);
