-- +goose Up
CREATE TABLE coupon_issues (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  filter_doc TEXT NOT NULL,
  each_gets BIGINT NOT NULL,
  note VARCHAR(100) NOT NULL,
  state VARCHAR(12) NOT NULL,
  found BIGINT NOT NULL,
  issued BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  after_member BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);
