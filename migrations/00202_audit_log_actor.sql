-- +goose Up
CREATE INDEX audit_log_actor ON audit_log (actor_id, id);
