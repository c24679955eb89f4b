-- +goose Up
CREATE TABLE member_cards (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  card_no CHAR(12) NOT NULL UNIQUE,
  status VARCHAR(16) NOT NULL,
  current_member BIGINT NULL UNIQUE,
  status_reason VARCHAR(200) NOT NULL,
  issued_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  replaced_by BIGINT NOT NULL,
  FOREIGN KEY (member_id) REFERENCES member_members (id)
);
