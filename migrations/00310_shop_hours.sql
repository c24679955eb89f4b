-- +goose Up
CREATE TABLE shop_hours (
  store_id BIGINT NOT NULL,
  weekday INT NOT NULL,
  opens INT NOT NULL,
  closes INT NOT NULL,
  PRIMARY KEY (store_id, weekday, opens)
);
