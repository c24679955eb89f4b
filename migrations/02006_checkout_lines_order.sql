-- +goose Up
CREATE INDEX checkout_lines_order ON checkout_lines (order_id, line_no);
