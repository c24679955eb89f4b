-- +goose Up
CREATE TABLE rain_credits (
  id BIGINT NOT NULL PRIMARY KEY,
  day_id BIGINT NOT NULL,
  pass_id BIGINT NOT NULL,
  active_key VARCHAR(40) NULL UNIQUE, -- pass:day while it counts: once for each pass and day
  days INT NOT NULL,
  given_at BIGINT NOT NULL,
  FOREIGN KEY (day_id) REFERENCES rain_days (id)
);
