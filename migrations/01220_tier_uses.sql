-- +goose Up
CREATE TABLE tier_uses (
  id BIGINT NOT NULL PRIMARY KEY,
  grant_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  right_id BIGINT NOT NULL,
  title VARCHAR(40) NOT NULL,
  order_id BIGINT NOT NULL,
  service_id BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  plate VARCHAR(16) NOT NULL,
  note VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  posting_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  FOREIGN KEY (grant_id) REFERENCES tier_grants (id)
);
