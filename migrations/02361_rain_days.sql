-- +goose Up
CREATE TABLE rain_days (
  id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  active_key VARCHAR(40) NULL UNIQUE, -- store:day while it counts
  from_minute INT NOT NULL, -- when it began; 0: nobody knows
  source VARCHAR(16) NOT NULL,
  note VARCHAR(200) NOT NULL,
  rules TEXT NOT NULL, -- as they were when it was marked
  state VARCHAR(16) NOT NULL, -- giving, done, undone
  vouchers INT NOT NULL,
  passes INT NOT NULL,
  bookings INT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  undone_at BIGINT NOT NULL
);
