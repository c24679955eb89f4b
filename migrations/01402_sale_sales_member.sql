-- +goose Up
CREATE INDEX sale_sales_member ON sale_sales (member_id, id);
