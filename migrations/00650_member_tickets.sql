-- +goose Up
CREATE TABLE member_tickets (
  ticket_hash CHAR(64) NOT NULL PRIMARY KEY,
  audience VARCHAR(8) NOT NULL,
  app VARCHAR(20) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  unionid VARCHAR(64) NOT NULL,
  invite VARCHAR(64) NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL
);
