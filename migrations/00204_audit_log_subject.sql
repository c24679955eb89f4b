-- +goose Up
CREATE INDEX audit_log_subject ON audit_log (subject_kind, subject_id, id);
