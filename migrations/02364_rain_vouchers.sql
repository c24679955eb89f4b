-- +goose Up
CREATE TABLE rain_vouchers (
  id BIGINT NOT NULL PRIMARY KEY,
  day_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  active_order BIGINT NULL UNIQUE, -- the wash, while its voucher counts: one for each wash
  member_id BIGINT NOT NULL,
  month CHAR(7) NOT NULL,
  coupon_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL, -- given, taken_back
  given_at BIGINT NOT NULL,
  FOREIGN KEY (day_id) REFERENCES rain_days (id)
);
