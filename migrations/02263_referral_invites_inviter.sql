-- +goose Up
CREATE INDEX referral_invites_inviter ON referral_invites (inviter_id, id);
