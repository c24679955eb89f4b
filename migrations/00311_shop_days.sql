-- +goose Up
CREATE TABLE shop_days (
  store_id BIGINT NOT NULL, -- 0 is every store
  biz_day CHAR(10) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  name VARCHAR(20) NOT NULL,
  opens INT NOT NULL,
  closes INT NOT NULL,
  edited BOOLEAN NOT NULL, -- by hand: an import leaves it alone
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (store_id, biz_day)
);
