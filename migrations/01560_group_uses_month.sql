-- +goose Up
CREATE INDEX group_uses_month ON group_uses (group_id, biz_month, member_id);
