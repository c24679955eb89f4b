-- +goose Up
CREATE INDEX referral_invites_reward ON referral_invites (state, reward_at);
