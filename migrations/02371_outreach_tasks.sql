-- +goose Up
CREATE TABLE outreach_tasks (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL, -- missed, birthday
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  dedupe VARCHAR(64) NOT NULL UNIQUE,
  due_day CHAR(10) NOT NULL, -- the last visit, or the birthday
  last_day VARCHAR(10) NOT NULL,
  visits INT NOT NULL,
  rhythm_days INT NOT NULL,
  state VARCHAR(16) NOT NULL, -- open, handled, back, gone
  outcome VARCHAR(16) NOT NULL,
  tries INT NOT NULL,
  note VARCHAR(200) NOT NULL,
  template_id BIGINT NOT NULL,
  coupon_id BIGINT NOT NULL,
  texted_at BIGINT NOT NULL,
  back_day VARCHAR(10) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  handled_at BIGINT NOT NULL
);
