-- +goose Up
CREATE TABLE checkout_benefits (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL REFERENCES checkout_orders (id),
  member_id BIGINT NOT NULL,
  kind VARCHAR(8) NOT NULL, -- pass, right, coupon, points
  ref_id BIGINT NOT NULL, -- a pass's line, a right, a coupon; 0 for points
  title VARCHAR(100) NOT NULL,
  item_id BIGINT NOT NULL,
  qty BIGINT NOT NULL, -- uses, coupons or points
  saved_fen BIGINT NOT NULL,
  left_after BIGINT NULL, -- uses that were left then; NULL unlimited, and of coupons and points
  state VARCHAR(8) NOT NULL, -- held, used, undone
  created_at BIGINT NOT NULL
);
