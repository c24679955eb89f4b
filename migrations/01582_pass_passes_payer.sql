-- +goose Up
CREATE INDEX pass_passes_payer ON pass_passes (payer_id, id);
