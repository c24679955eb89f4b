-- +goose Up
CREATE INDEX sale_refunds_sale ON sale_refunds (sale_id, id);
