-- +goose Up
CREATE TABLE outreach_rules (
  id BIGINT NOT NULL PRIMARY KEY, -- 1: there is one
  missed BOOLEAN NOT NULL,
  silent_days INT NOT NULL,
  min_visits INT NOT NULL,
  rhythm_percent INT NOT NULL,
  forget_days INT NOT NULL,
  back_days INT NOT NULL,
  birthdays BOOLEAN NOT NULL,
  coupon_ids TEXT NOT NULL,
  price_li INT NOT NULL, -- of one text message, in thousandths of a yuan
  updated_at BIGINT NOT NULL
);
