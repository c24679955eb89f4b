-- +goose Up
CREATE INDEX sale_sales_subject ON sale_sales (kind, subject_id);
