-- +goose Up
CREATE TABLE staff_account_roles (
  account_id BIGINT NOT NULL,
  role_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, role_id),
  FOREIGN KEY (account_id) REFERENCES staff_accounts (id),
  FOREIGN KEY (role_id) REFERENCES staff_roles (id)
);
