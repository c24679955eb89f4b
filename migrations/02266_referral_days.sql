-- +goose Up
CREATE TABLE referral_days (
  inviter_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  rewarded INT NOT NULL,
  PRIMARY KEY (inviter_id, biz_day)
);
