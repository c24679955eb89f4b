-- The database as the migrations make it; the same text serves SQLite, MySQL, MariaDB and TiDB.
-- Generated: LIANGCHE_UPDATE=1 go test ./internal/app -run SchemaIsCommitted

CREATE TABLE audit_log (
  id BIGINT NOT NULL PRIMARY KEY,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_name VARCHAR(100) NOT NULL,
  action VARCHAR(64) NOT NULL,
  subject_kind VARCHAR(32) NOT NULL,
  subject_id BIGINT NOT NULL,
  subject_label VARCHAR(200) NOT NULL,
  store_id BIGINT NOT NULL,
  ip VARCHAR(64) NOT NULL,
  detail TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX audit_log_action ON audit_log (action, id);

CREATE INDEX audit_log_actor ON audit_log (actor_id, id);

CREATE INDEX audit_log_subject ON audit_log (subject_kind, subject_id, id);

CREATE TABLE booking_bookings (
  id BIGINT NOT NULL PRIMARY KEY,
  booking_no VARCHAR(24) NOT NULL UNIQUE,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  channel VARCHAR(20) NOT NULL,
  state VARCHAR(16) NOT NULL,
  member_id BIGINT NOT NULL,
  member_tier VARCHAR(64) NOT NULL,
  priority BOOLEAN NOT NULL,
  contact_name_sealed VARCHAR(300) NOT NULL,
  contact_phone_sealed VARCHAR(300) NOT NULL,
  plate VARCHAR(16) NOT NULL,
  active_plate VARCHAR(16) NULL UNIQUE,
  vehicle_class_id BIGINT NOT NULL,
  vehicle_class_name VARCHAR(64) NOT NULL,
  title VARCHAR(120) NOT NULL,
  minutes INT NOT NULL,
  price_fen BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  from_cell BIGINT NOT NULL,
  to_cell BIGINT NOT NULL,
  travel_minutes INT NOT NULL,
  deposit_fen BIGINT NOT NULL,
  deposit_state VARCHAR(16) NOT NULL,
  deposit_used_fen BIGINT NOT NULL,
  deposit_back_fen BIGINT NOT NULL,
  payment_id BIGINT NOT NULL,
  paid_posting_id BIGINT NOT NULL,
  out_posting_id BIGINT NOT NULL,
  free_cancel_until BIGINT NOT NULL,
  hold_expires_at BIGINT NULL,
  version BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  wished_technician_id BIGINT NOT NULL,
  same_technician BOOLEAN NOT NULL,
  explain_text VARCHAR(300) NOT NULL,
  note VARCHAR(300) NOT NULL,
  address VARCHAR(200) NOT NULL,
  lat_e6 BIGINT NOT NULL,
  lng_e6 BIGINT NOT NULL,
  extra TEXT NOT NULL,
  cancelled_by VARCHAR(8) NOT NULL,
  cancel_reason VARCHAR(200) NOT NULL,
  created_by_kind VARCHAR(8) NOT NULL,
  created_by_id BIGINT NOT NULL,
  created_by_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  confirmed_at BIGINT NULL,
  dispatched_at BIGINT NULL,
  arrived_at BIGINT NULL,
  started_at BIGINT NULL,
  finished_at BIGINT NULL,
  ended_at BIGINT NULL,
  reminded_at BIGINT NULL
, order_paid BOOLEAN NOT NULL DEFAULT FALSE, eve_of BIGINT NOT NULL DEFAULT 0, vehicle_id BIGINT NOT NULL DEFAULT 0);

CREATE INDEX booking_bookings_cells ON booking_bookings (store_id, to_cell, from_cell);

CREATE INDEX booking_bookings_day ON booking_bookings (store_id, biz_day, starts_at, id);

CREATE INDEX booking_bookings_due ON booking_bookings (state, hold_expires_at, id);

CREATE INDEX booking_bookings_member ON booking_bookings (member_id, state, id);

CREATE INDEX booking_bookings_plate ON booking_bookings (plate, id);

CREATE INDEX booking_bookings_starts ON booking_bookings (state, starts_at, id);

CREATE TABLE booking_events (
  id BIGINT NOT NULL PRIMARY KEY,
  booking_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  event_text VARCHAR(300) NOT NULL,
  actor_kind VARCHAR(8) NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_name VARCHAR(64) NOT NULL
);

CREATE INDEX booking_events_booking ON booking_events (booking_id, id);

CREATE INDEX booking_events_store ON booking_events (store_id, created_at, id);

CREATE TABLE booking_items (
  booking_id BIGINT NOT NULL REFERENCES booking_bookings (id),
  line_no INT NOT NULL,
  service_id BIGINT NOT NULL,
  title VARCHAR(64) NOT NULL,
  minutes INT NOT NULL,
  price_fen BIGINT NOT NULL,
  PRIMARY KEY (booking_id, line_no)
);

CREATE TABLE booking_locks (
  id BIGINT NOT NULL PRIMARY KEY
);

CREATE TABLE booking_photos (
  id BIGINT NOT NULL PRIMARY KEY,
  booking_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  stage VARCHAR(8) NOT NULL,
  blob_key VARCHAR(120) NOT NULL,
  slot_no INT NOT NULL,
  by_id BIGINT NOT NULL,
  by_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (booking_id, slot_no)
);

CREATE TABLE booking_ratings (
  booking_id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  technician_id BIGINT NOT NULL,
  stars INT NOT NULL,
  tags VARCHAR(200) NOT NULL,
  note VARCHAR(500) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX booking_ratings_created ON booking_ratings (created_at, booking_id);

CREATE INDEX booking_ratings_technician ON booking_ratings (technician_id, stars);

CREATE TABLE booking_segments (
  booking_id BIGINT NOT NULL REFERENCES booking_bookings (id),
  seg_no INT NOT NULL,
  bay_kind VARCHAR(16) NOT NULL,
  skill VARCHAR(16) NOT NULL,
  min_level INT NOT NULL,
  bay_id BIGINT NOT NULL,
  technician_id BIGINT NOT NULL,
  from_cell BIGINT NOT NULL,
  to_cell BIGINT NOT NULL,
  service_from BIGINT NOT NULL,
  service_to BIGINT NOT NULL,
  PRIMARY KEY (booking_id, seg_no)
);

CREATE TABLE booking_waits (
  id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  vehicle_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  service_ids VARCHAR(200) NOT NULL,
  title VARCHAR(120) NOT NULL,
  from_day CHAR(10) NOT NULL,
  to_day CHAR(10) NOT NULL,
  from_minute INT NOT NULL,
  to_minute INT NOT NULL,
  ends_at BIGINT NOT NULL,
  priority BOOLEAN NOT NULL,
  state VARCHAR(16) NOT NULL,
  booking_id BIGINT NOT NULL,
  offer_expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX booking_waits_booking ON booking_waits (booking_id);

CREATE INDEX booking_waits_member ON booking_waits (member_id, id);

CREATE INDEX booking_waits_store ON booking_waits (state, store_id, id);

CREATE TABLE campaign_batches (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  partner VARCHAR(80) NOT NULL,
  presents TEXT NOT NULL,
  code_count INT NOT NULL,
  per_member INT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  created_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  exported_by VARCHAR(64) NOT NULL,
  exported_at BIGINT NOT NULL,
  stopped_at BIGINT NOT NULL
);

CREATE TABLE campaign_codes (
  id BIGINT NOT NULL PRIMARY KEY,
  batch_id BIGINT NOT NULL REFERENCES campaign_batches (id),
  code_hash VARCHAR(64) NOT NULL UNIQUE,
  tail VARCHAR(4) NOT NULL,
  member_id BIGINT NULL,
  use_no INT NULL,
  used_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (batch_id, member_id, use_no)
);

CREATE TABLE campaign_cursors (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  at_id BIGINT NOT NULL,
  at_day VARCHAR(16) NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE campaign_gifts (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  rule_id BIGINT NOT NULL,
  source VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  dedupe VARCHAR(120) NOT NULL UNIQUE,
  title VARCHAR(120) NOT NULL,
  presents TEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
, basis VARCHAR(200) NOT NULL DEFAULT '');

CREATE INDEX campaign_gifts_member ON campaign_gifts (member_id, id);

CREATE INDEX campaign_gifts_ref ON campaign_gifts (ref_id, source);

CREATE INDEX campaign_gifts_rule ON campaign_gifts (rule_id, id);

CREATE TABLE campaign_rules (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  trigger_kind VARCHAR(24) NOT NULL,
  terms TEXT NOT NULL,
  presents TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  deleted BOOLEAN NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE catalog_goods (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  unit VARCHAR(10) NOT NULL,
  price_fen BIGINT NOT NULL,
  min_price_bp INT NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
, points_each BIGINT NULL);

CREATE TABLE catalog_plan_stores (
  plan_id BIGINT NOT NULL REFERENCES catalog_plans (id),
  store_id BIGINT NOT NULL,
  PRIMARY KEY (plan_id, store_id)
);

CREATE TABLE catalog_plans (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  amount_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  note VARCHAR(100) NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE catalog_service_prices (
  service_id BIGINT NOT NULL REFERENCES catalog_services (id),
  vehicle_class_id BIGINT NOT NULL REFERENCES catalog_vehicle_classes (id),
  price_fen BIGINT NOT NULL, minutes INT NOT NULL DEFAULT 0,
  PRIMARY KEY (service_id, vehicle_class_id)
);

CREATE TABLE catalog_service_stores (
  service_id BIGINT NOT NULL REFERENCES catalog_services (id),
  store_id BIGINT NOT NULL,
  PRIMARY KEY (service_id, store_id)
);

CREATE TABLE catalog_services (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  description VARCHAR(500) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  minutes INT NOT NULL,
  min_price_bp INT NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
, bookable BOOLEAN NOT NULL DEFAULT TRUE, booking_kinds VARCHAR(100) NOT NULL DEFAULT 'visit', bay_kind VARCHAR(8) NOT NULL DEFAULT '-', skill VARCHAR(8) NOT NULL DEFAULT '-', min_level INT NOT NULL DEFAULT 1, changeover_minutes INT NOT NULL DEFAULT 0, deposit_fen BIGINT NOT NULL DEFAULT 0, free_cancel_hours INT NOT NULL DEFAULT 0, image VARCHAR(64) NOT NULL DEFAULT '', points_each BIGINT NULL);

CREATE TABLE catalog_vehicle_classes (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  example VARCHAR(100) NOT NULL,
  sort_no INT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

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

CREATE INDEX checkout_benefits_member ON checkout_benefits (member_id, id);

CREATE INDEX checkout_benefits_order ON checkout_benefits (order_id);

CREATE TABLE checkout_disputes (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  reason VARCHAR(24) NOT NULL,
  note VARCHAR(500) NOT NULL,
  status VARCHAR(16) NOT NULL,
  answer VARCHAR(500) NOT NULL,
  resolved_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  resolved_at BIGINT NULL
);

CREATE INDEX checkout_disputes_status ON checkout_disputes (status, id);

CREATE TABLE checkout_lines (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  item_id BIGINT NOT NULL,
  title VARCHAR(120) NOT NULL,
  explain_text VARCHAR(200) NOT NULL,
  qty BIGINT NOT NULL,
  unit_fen BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL, net_fen BIGINT NOT NULL DEFAULT 0, net_qty BIGINT NOT NULL DEFAULT 0, service_kind VARCHAR(16) NULL, points_each BIGINT NULL,
  FOREIGN KEY (order_id) REFERENCES checkout_orders (id)
);

CREATE INDEX checkout_lines_order ON checkout_lines (order_id, line_no);

CREATE TABLE checkout_orders (
  id BIGINT NOT NULL PRIMARY KEY,
  order_no VARCHAR(24) NOT NULL UNIQUE,
  store_id BIGINT NOT NULL,
  store_name VARCHAR(64) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  member_id BIGINT NOT NULL,
  scan_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  vehicle_class_id BIGINT NOT NULL,
  vehicle_class_name VARCHAR(64) NOT NULL,
  title VARCHAR(120) NOT NULL,
  subtotal_fen BIGINT NOT NULL,
  discount_fen BIGINT NOT NULL,
  total_fen BIGINT NOT NULL,
  status VARCHAR(24) NOT NULL,
  balance_after BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  payment_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  tender_label VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  settled_at BIGINT NULL,
  reversed_at BIGINT NULL,
  reversal_posting_id BIGINT NOT NULL,
  reverse_reason VARCHAR(200) NOT NULL,
  reverse_staff VARCHAR(64) NOT NULL
, booking_id BIGINT NOT NULL DEFAULT 0, benefit_posting_id BIGINT NOT NULL DEFAULT 0, recognised_fen BIGINT NOT NULL DEFAULT 0, points_earned BIGINT NOT NULL DEFAULT 0, group_id BIGINT NOT NULL DEFAULT 0, payer_id BIGINT NOT NULL DEFAULT 0, earner_id BIGINT NOT NULL DEFAULT 0);

CREATE INDEX checkout_orders_day ON checkout_orders (store_id, biz_day, id);

CREATE INDEX checkout_orders_earner_day ON checkout_orders (earner_id, biz_day);

CREATE INDEX checkout_orders_member ON checkout_orders (member_id, id);

CREATE INDEX checkout_orders_plate ON checkout_orders (plate, id);

CREATE TABLE checkout_tenders (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  amount_fen BIGINT NOT NULL,
  principal_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  received_fen BIGINT NOT NULL,
  reference VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL,
  FOREIGN KEY (order_id) REFERENCES checkout_orders (id)
);

CREATE INDEX checkout_tenders_day ON checkout_tenders (store_id, biz_day);

CREATE INDEX checkout_tenders_order ON checkout_tenders (order_id);

CREATE TABLE coupon_claims (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  claim_code VARCHAR(20) NOT NULL UNIQUE,
  title VARCHAR(40) NOT NULL,
  note VARCHAR(200) NOT NULL,
  stock BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  per_member BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE coupon_coupons (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  terms_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  first_member_id BIGINT NOT NULL,
  seq_no BIGINT NOT NULL,
  state VARCHAR(12) NOT NULL,
  source VARCHAR(16) NOT NULL,
  source_id BIGINT NOT NULL,
  dedupe VARCHAR(120) NOT NULL UNIQUE,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  gifted_from BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  warned_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  UNIQUE (template_id, first_member_id, seq_no)
);

CREATE INDEX coupon_coupons_expiry ON coupon_coupons (state, expires_at, id);

CREATE INDEX coupon_coupons_member ON coupon_coupons (member_id, state);

CREATE INDEX coupon_coupons_source ON coupon_coupons (source, source_id, first_member_id);

CREATE INDEX coupon_coupons_template ON coupon_coupons (template_id, state);

CREATE TABLE coupon_gifts (
  id BIGINT NOT NULL PRIMARY KEY,
  coupon_id BIGINT NOT NULL,
  from_member BIGINT NOT NULL,
  to_member BIGINT NOT NULL,
  state VARCHAR(12) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);

CREATE INDEX coupon_gifts_open ON coupon_gifts (state, expires_at);

CREATE TABLE coupon_holds (
  id BIGINT NOT NULL PRIMARY KEY,
  coupon_id BIGINT NOT NULL,
  live_coupon_id BIGINT NULL UNIQUE,
  alone VARCHAR(40) NULL UNIQUE,
  member_id BIGINT NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  state VARCHAR(12) NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);

CREATE INDEX coupon_holds_coupon ON coupon_holds (coupon_id);

CREATE INDEX coupon_holds_ref ON coupon_holds (ref_kind, ref_id);

CREATE TABLE coupon_issues (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  filter_doc TEXT NOT NULL,
  each_gets BIGINT NOT NULL,
  note VARCHAR(100) NOT NULL,
  state VARCHAR(12) NOT NULL,
  found BIGINT NOT NULL,
  issued BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  after_member BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);

CREATE TABLE coupon_templates (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  terms_id BIGINT NOT NULL,
  per_member BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE coupon_terms (
  id BIGINT NOT NULL PRIMARY KEY,
  template_id BIGINT NOT NULL,
  doc TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE group_approvals (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  driver_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  service_ids VARCHAR(400) NOT NULL,
  goods BOOLEAN NOT NULL,
  title VARCHAR(120) NOT NULL,
  amount_fen BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  asked_by_id BIGINT NOT NULL,
  asked_by_name VARCHAR(64) NOT NULL,
  answer_note VARCHAR(100) NOT NULL,
  order_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  answered_at BIGINT NULL
);

CREATE INDEX group_approvals_driver ON group_approvals (driver_id, state, expires_at);

CREATE INDEX group_approvals_order ON group_approvals (order_id);

CREATE INDEX group_approvals_payer ON group_approvals (payer_id, id);

CREATE TABLE group_documents (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  slot_no INT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  blob_key VARCHAR(120) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (group_id, slot_no)
);

CREATE TABLE group_drivers (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  live_key VARCHAR(48) NULL UNIQUE,
  card_kind VARCHAR(16) NOT NULL,
  note VARCHAR(40) NOT NULL,
  until_day VARCHAR(10) NOT NULL,
  rules TEXT NOT NULL,
  joined_at BIGINT NOT NULL,
  ended_at BIGINT NULL,
  end_reason VARCHAR(16) NOT NULL
, tier_id BIGINT NOT NULL DEFAULT 0);

CREATE INDEX group_drivers_group ON group_drivers (group_id, id);

CREATE INDEX group_drivers_member ON group_drivers (member_id, id);

CREATE TABLE group_groups (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  name VARCHAR(60) NOT NULL,
  state VARCHAR(16) NOT NULL,
  payer_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  credit_code VARCHAR(18) NOT NULL,
  live_credit VARCHAR(18) NULL UNIQUE,
  contact_sealed TEXT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  reviewed_by VARCHAR(64) NOT NULL,
  reviewed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  ended_at BIGINT NULL
, tier_id BIGINT NOT NULL DEFAULT 0);

CREATE INDEX group_groups_payer ON group_groups (payer_id, id);

CREATE INDEX group_groups_state ON group_groups (state, id);

CREATE TABLE group_invites (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  code_hash CHAR(64) NOT NULL UNIQUE,
  card_kind VARCHAR(16) NOT NULL,
  note VARCHAR(40) NOT NULL,
  until_day VARCHAR(10) NOT NULL,
  rules TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  revoked_at BIGINT NULL,
  driver_id BIGINT NOT NULL
, tier_id BIGINT NOT NULL DEFAULT 0);

CREATE INDEX group_invites_group ON group_invites (group_id, id);

CREATE TABLE group_uses (
  id BIGINT NOT NULL PRIMARY KEY,
  group_id BIGINT NOT NULL,
  driver_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL UNIQUE,
  store_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  amount_fen BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  biz_month CHAR(7) NOT NULL,
  state VARCHAR(8) NOT NULL,
  approval_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  undone_month VARCHAR(7) NOT NULL,
  undone_at BIGINT NULL
);

CREATE INDEX group_uses_month ON group_uses (group_id, biz_month, member_id);

CREATE INDEX group_uses_undone ON group_uses (group_id, undone_month);

CREATE TABLE idem_keys (
  actor VARCHAR(64) NOT NULL,
  idem_key VARCHAR(64) NOT NULL,
  request_hash CHAR(64) NOT NULL,
  response TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (actor, idem_key)
);

CREATE INDEX idem_keys_created ON idem_keys (created_at);

CREATE TABLE jobs_queue (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(64) NOT NULL,
  dedupe_key VARCHAR(160) NULL UNIQUE,
  payload TEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  run_at BIGINT NOT NULL,
  attempts INT NOT NULL,
  lease_until BIGINT NOT NULL,
  last_error VARCHAR(500) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);

CREATE INDEX jobs_queue_due ON jobs_queue (state, run_at, id);

CREATE TABLE ledger_accounts (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  unit VARCHAR(16) NOT NULL,
  balance BIGINT NOT NULL,
  held BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  created_at BIGINT NOT NULL, merged_into BIGINT NOT NULL DEFAULT 0,
  UNIQUE (member_id, unit)
);

CREATE INDEX ledger_accounts_kin ON ledger_accounts (merged_into, member_id);

CREATE TABLE ledger_entries (
  id BIGINT NOT NULL PRIMARY KEY,
  posting_id BIGINT NOT NULL,
  account VARCHAR(32) NOT NULL,
  account_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  unit VARCHAR(16) NOT NULL,
  amount BIGINT NOT NULL,
  balance_after BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  FOREIGN KEY (posting_id) REFERENCES ledger_postings (id)
);

CREATE INDEX ledger_entries_account ON ledger_entries (account_id, seq);

CREATE INDEX ledger_entries_member ON ledger_entries (member_id, id);

CREATE INDEX ledger_entries_posting ON ledger_entries (posting_id);

CREATE TABLE ledger_folds (
  id INT NOT NULL PRIMARY KEY,
  after_id BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE ledger_holds (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  principal BIGINT NOT NULL,
  bonus BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (ref_kind, ref_id)
);

CREATE TABLE ledger_lot_moves (
  id BIGINT NOT NULL PRIMARY KEY,
  posting_id BIGINT NOT NULL,
  lot_id BIGINT NOT NULL,
  amount BIGINT NOT NULL
);

CREATE INDEX ledger_lot_moves_lot ON ledger_lot_moves (lot_id);

CREATE INDEX ledger_lot_moves_posting ON ledger_lot_moves (posting_id);

CREATE TABLE ledger_lots (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  unit VARCHAR(16) NOT NULL,
  posting_id BIGINT NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  remaining BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX ledger_lots_expiry ON ledger_lots (unit, expires_at, id);

CREATE INDEX ledger_lots_open ON ledger_lots (account_id);

CREATE INDEX ledger_lots_ref ON ledger_lots (ref_kind, ref_id);

CREATE TABLE ledger_months (
  biz_month CHAR(7) NOT NULL,
  account VARCHAR(32) NOT NULL,
  unit VARCHAR(16) NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (biz_month, account, unit)
);

CREATE TABLE ledger_postings (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(24) NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  reverses_id BIGINT NULL UNIQUE,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_name VARCHAR(64) NOT NULL,
  title VARCHAR(120) NOT NULL,
  memo VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX ledger_postings_day ON ledger_postings (store_id, biz_day, id);

CREATE INDEX ledger_postings_member ON ledger_postings (member_id, id);

CREATE TABLE mall_items (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  description VARCHAR(1000) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  subject_id BIGINT NOT NULL,
  image VARCHAR(64) NOT NULL,
  points BIGINT NOT NULL,
  money_fen BIGINT NOT NULL,
  stock BIGINT NOT NULL,
  low_stock BIGINT NOT NULL,
  per_member INT NOT NULL,
  min_tier_id BIGINT NOT NULL,
  ship BOOLEAN NOT NULL,
  sale_from BIGINT NOT NULL,
  sale_to BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  sort_no INT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE mall_moves (
  id BIGINT NOT NULL PRIMARY KEY,
  item_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  amount BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  by_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX mall_moves_item ON mall_moves (item_id, id);

CREATE TABLE mall_orders (
  id BIGINT NOT NULL PRIMARY KEY,
  order_no VARCHAR(32) NOT NULL UNIQUE,
  item_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  item_kind VARCHAR(16) NOT NULL,
  subject_id BIGINT NOT NULL,
  title VARCHAR(80) NOT NULL,
  image VARCHAR(64) NOT NULL,
  qty BIGINT NOT NULL,
  points BIGINT NOT NULL,
  money_fen BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  delivery VARCHAR(16) NOT NULL,
  address_sealed TEXT NOT NULL,
  code_index VARCHAR(32) NULL UNIQUE,
  code_sealed VARCHAR(200) NOT NULL,
  sale_id BIGINT NOT NULL,
  refund_id BIGINT NOT NULL,
  carrier VARCHAR(40) NOT NULL,
  tracking_no VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  ready_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);

CREATE INDEX mall_orders_item ON mall_orders (item_id, member_id, state);

CREATE INDEX mall_orders_member ON mall_orders (member_id, id);

CREATE INDEX mall_orders_sale ON mall_orders (sale_id);

CREATE INDEX mall_orders_state ON mall_orders (state, id);

CREATE TABLE member_attempts (
  bucket VARCHAR(100) NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  window_until BIGINT NOT NULL
);

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

CREATE INDEX member_cards_of ON member_cards (member_id, id);

CREATE TABLE member_charters (
  version BIGINT NOT NULL PRIMARY KEY,
  title VARCHAR(100) NOT NULL,
  body TEXT NOT NULL,
  privacy_body TEXT NOT NULL,
  published_at BIGINT NOT NULL,
  published_by BIGINT NOT NULL
);

CREATE TABLE member_code_devices (
  device_no CHAR(9) NOT NULL PRIMARY KEY,
  identity_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  name VARCHAR(60) NOT NULL,
  secret_sealed VARCHAR(200) NOT NULL,
  store_id BIGINT NOT NULL,
  vehicle_id BIGINT NOT NULL,
  cap_fen BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT NULL
);

CREATE INDEX member_code_devices_identity ON member_code_devices (identity_id, created_at);

CREATE INDEX member_code_devices_member ON member_code_devices (member_id, created_at);

CREATE TABLE member_identities (
  id BIGINT NOT NULL PRIMARY KEY,
  app VARCHAR(20) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  unionid VARCHAR(64) NOT NULL,
  member_id BIGINT NULL,
  bound_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL, merged_from BIGINT NOT NULL DEFAULT 0,
  UNIQUE (app, openid)
);

CREATE INDEX member_identities_member ON member_identities (member_id);

CREATE INDEX member_identities_unionid ON member_identities (unionid);

CREATE TABLE member_links (
  code_hash CHAR(32) NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  identity_id BIGINT NOT NULL,
  app VARCHAR(20) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  used_by BIGINT NOT NULL
);

CREATE INDEX member_links_identity ON member_links (identity_id);

CREATE TABLE member_members (
  id BIGINT NOT NULL PRIMARY KEY,
  name_sealed VARCHAR(400) NOT NULL,
  name_index VARCHAR(32) NOT NULL,
  phone_sealed VARCHAR(200) NOT NULL,
  phone_index VARCHAR(32) NULL UNIQUE,
  last4_index VARCHAR(32) NOT NULL,
  phone_verified BOOLEAN NOT NULL,
  gender VARCHAR(8) NOT NULL,
  birthday VARCHAR(10) NOT NULL,
  status VARCHAR(16) NOT NULL,
  status_reason VARCHAR(200) NOT NULL,
  store_id BIGINT NOT NULL,
  charter_version BIGINT NOT NULL,
  charter_at BIGINT NOT NULL,
  joined_at BIGINT NOT NULL,
  created_kind VARCHAR(16) NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  closed_at BIGINT NULL
, merged_into BIGINT NOT NULL DEFAULT 0);

CREATE INDEX member_members_joined ON member_members (joined_at, id);

CREATE INDEX member_members_kin ON member_members (merged_into, id);

CREATE INDEX member_members_last4 ON member_members (last4_index);

CREATE INDEX member_members_name ON member_members (name_index);

CREATE INDEX member_members_status ON member_members (status, id);

CREATE TABLE member_old_cards (
  id BIGINT NOT NULL PRIMARY KEY,
  card_no VARCHAR(32) NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  note VARCHAR(120) NOT NULL,
  store_id BIGINT NOT NULL,
  created_kind VARCHAR(20) NOT NULL,
  created_by BIGINT NOT NULL,
  created_name VARCHAR(100) NOT NULL,
  created_at BIGINT NOT NULL,
  lost_at BIGINT NULL
);

CREATE INDEX member_old_cards_member ON member_old_cards (member_id);

CREATE TABLE member_phone_codes (
  id BIGINT NOT NULL PRIMARY KEY,
  identity_id BIGINT NOT NULL,
  phone_index CHAR(32) NOT NULL,
  code_hash CHAR(32) NOT NULL,
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  UNIQUE (identity_id, phone_index)
);

CREATE INDEX member_phone_codes_expires ON member_phone_codes (expires_at);

CREATE TABLE member_scans (
  id BIGINT NOT NULL PRIMARY KEY,
  device_no CHAR(9) NOT NULL,
  step BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  vehicle_id BIGINT NOT NULL,
  cap_fen BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  UNIQUE (device_no, step)
);

CREATE TABLE member_tags (
  member_id BIGINT NOT NULL REFERENCES member_members (id),
  tag VARCHAR(12) NOT NULL,
  PRIMARY KEY (member_id, tag)
);

CREATE INDEX member_tags_tag ON member_tags (tag, member_id);

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

CREATE INDEX member_tickets_expires ON member_tickets (expires_at);

CREATE TABLE member_vehicles (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  plate_kind VARCHAR(8) NOT NULL,
  brand VARCHAR(40) NOT NULL,
  model VARCHAR(40) NOT NULL,
  color VARCHAR(20) NOT NULL,
  vehicle_class_id BIGINT NOT NULL,
  marks VARCHAR(200) NOT NULL,
  purchased_on VARCHAR(10) NOT NULL,
  mileage_km BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (member_id, plate),
  FOREIGN KEY (member_id) REFERENCES member_members (id)
);

CREATE INDEX member_vehicles_plate ON member_vehicles (plate, id);

CREATE TABLE merge_merges (
  id BIGINT NOT NULL PRIMARY KEY,
  from_id BIGINT NOT NULL UNIQUE,
  into_id BIGINT NOT NULL,
  from_card_no VARCHAR(12) NOT NULL,
  into_card_no VARCHAR(12) NOT NULL,
  principal_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  points BIGINT NOT NULL,
  points_debt BIGINT NOT NULL,
  experience BIGINT NOT NULL,
  uses BIGINT NOT NULL,
  out_posting_id BIGINT NOT NULL,
  in_posting_id BIGINT NOT NULL,
  moved TEXT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX merge_merges_into ON merge_merges (into_id, id);

CREATE TABLE notify_calls (
  id BIGINT NOT NULL PRIMARY KEY,
  message_id BIGINT NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  event VARCHAR(32) NOT NULL,
  body VARCHAR(300) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  state VARCHAR(12) NOT NULL,
  note VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(60) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);

CREATE INDEX notify_calls_member ON notify_calls (member_id, id);

CREATE INDEX notify_calls_state ON notify_calls (state, id);

CREATE TABLE notify_grants (
  app VARCHAR(32) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  left_count INT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (app, openid, template_id)
);

CREATE TABLE notify_messages (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  event VARCHAR(32) NOT NULL,
  dedupe_key VARCHAR(120) NOT NULL UNIQUE,
  data TEXT NOT NULL,
  page VARCHAR(200) NOT NULL,
  state VARCHAR(16) NOT NULL,
  detail VARCHAR(200) NOT NULL,
  attempts INT NOT NULL,
  lease_until BIGINT NOT NULL,
  app VARCHAR(32) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
, until_at BIGINT NOT NULL DEFAULT 0, due_at BIGINT NOT NULL DEFAULT 0, channel VARCHAR(20) NOT NULL DEFAULT '', tried VARCHAR(64) NOT NULL DEFAULT '');

CREATE INDEX notify_messages_member ON notify_messages (member_id, id);

CREATE TABLE notify_pace (
  member_id BIGINT NOT NULL,
  day CHAR(10) NOT NULL,
  taken INT NOT NULL,
  PRIMARY KEY (member_id, day)
);

CREATE TABLE notify_preferences (
  member_id BIGINT NOT NULL PRIMARY KEY,
  off_groups VARCHAR(120) NOT NULL,
  sms BOOLEAN NOT NULL,
  calls BOOLEAN NOT NULL,
  marketing BOOLEAN NOT NULL,
  from_minute INT NOT NULL,
  to_minute INT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE notify_receipts (
  app VARCHAR(32) NOT NULL,
  remote_id VARCHAR(64) NOT NULL,
  message_id BIGINT NOT NULL,
  status VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (app, remote_id)
);

CREATE INDEX notify_receipts_created ON notify_receipts (created_at);

CREATE TABLE notify_rules (
  event VARCHAR(32) NOT NULL PRIMARY KEY,
  enabled BOOLEAN NOT NULL,
  sms BOOLEAN NOT NULL,
  calls BOOLEAN NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);

CREATE TABLE notify_steps (
  id BIGINT NOT NULL PRIMARY KEY,
  message_id BIGINT NOT NULL,
  day CHAR(10) NOT NULL,
  channel VARCHAR(20) NOT NULL,
  outcome VARCHAR(16) NOT NULL,
  code VARCHAR(80) NOT NULL,
  detail VARCHAR(200) NOT NULL,
  at BIGINT NOT NULL
);

CREATE INDEX notify_steps_day ON notify_steps (day, channel, outcome);

CREATE INDEX notify_steps_message ON notify_steps (message_id, id);

CREATE INDEX notify_steps_outcome ON notify_steps (outcome, message_id);

CREATE TABLE notify_templates (
  channel VARCHAR(20) NOT NULL,
  event VARCHAR(32) NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  sign VARCHAR(32) NOT NULL,
  body VARCHAR(500) NOT NULL,
  layout TEXT NOT NULL,
  broken VARCHAR(200) NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  PRIMARY KEY (channel, event)
);

CREATE TABLE oa_followers (
  id BIGINT NOT NULL PRIMARY KEY,
  openid VARCHAR(64) NULL UNIQUE,
  unionid VARCHAR(64) NOT NULL,
  person VARCHAR(64) NOT NULL,
  state VARCHAR(12) NOT NULL,
  first_scene VARCHAR(64) NOT NULL,
  scene VARCHAR(64) NOT NULL,
  source VARCHAR(40) NOT NULL,
  follows INT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  left_at BIGINT NOT NULL,
  event_at BIGINT NOT NULL,
  info_at BIGINT NOT NULL,
  gift_at BIGINT NOT NULL
);

CREATE INDEX oa_followers_state ON oa_followers (state, id);

CREATE INDEX oa_followers_unionid ON oa_followers (unionid);

CREATE TABLE oa_inbox (
  id BIGINT NOT NULL PRIMARY KEY,
  dedupe_key VARCHAR(64) NOT NULL UNIQUE,
  nonce_key VARCHAR(64) NOT NULL UNIQUE,
  app VARCHAR(32) NOT NULL,
  kind VARCHAR(64) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  event_key VARCHAR(200) NOT NULL,
  content VARCHAR(600) NOT NULL,
  status VARCHAR(64) NOT NULL,
  msg_id VARCHAR(64) NOT NULL,
  body TEXT NOT NULL,
  state VARCHAR(12) NOT NULL,
  batch_id BIGINT NOT NULL,
  event_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);

CREATE INDEX oa_inbox_batch ON oa_inbox (batch_id, state);

CREATE INDEX oa_inbox_created ON oa_inbox (created_at);

CREATE INDEX oa_inbox_openid ON oa_inbox (openid);

CREATE TABLE oa_menus (
  id BIGINT NOT NULL PRIMARY KEY,
  state VARCHAR(12) NOT NULL,
  current_draft BIGINT NULL UNIQUE,
  buttons TEXT NOT NULL,
  changed_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE oa_moves (
  id BIGINT NOT NULL PRIMARY KEY,
  follower_id BIGINT NOT NULL,
  kind VARCHAR(12) NOT NULL,
  scene VARCHAR(64) NOT NULL,
  day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX oa_moves_day ON oa_moves (day, kind);

CREATE INDEX oa_moves_scene ON oa_moves (scene, kind);

CREATE TABLE oa_replies (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(12) NOT NULL,
  only_one VARCHAR(12) NULL UNIQUE,
  name VARCHAR(60) NOT NULL,
  words TEXT NOT NULL,
  whole BOOLEAN NOT NULL,
  answer TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE oa_scenes (
  id BIGINT NOT NULL PRIMARY KEY,
  scene VARCHAR(64) NOT NULL UNIQUE,
  name VARCHAR(60) NOT NULL,
  store_id BIGINT NOT NULL,
  code_text VARCHAR(300) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE outreach_campaigns (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  filter_doc TEXT NOT NULL,
  template_id VARCHAR(64) NOT NULL,
  sign VARCHAR(32) NOT NULL,
  body VARCHAR(500) NOT NULL,
  layout TEXT NOT NULL,
  state VARCHAR(16) NOT NULL, -- draft, running, paused, stopped, done
  reason VARCHAR(200) NOT NULL,
  found INT NOT NULL,
  promised INT NOT NULL,
  skipped INT NOT NULL,
  after_id BIGINT NOT NULL,
  runs INT NOT NULL,
  segments INT NOT NULL,
  price_li INT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);

CREATE TABLE outreach_holidays (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(20) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  yearly BOOLEAN NOT NULL,
  words VARCHAR(35) NOT NULL,
  greet BOOLEAN NOT NULL,
  tier_ids TEXT NOT NULL,
  template_id BIGINT NOT NULL, -- of the coupon that is given; 0 none
  points INT NOT NULL,
  deleted BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE outreach_marks (
  name VARCHAR(40) NOT NULL PRIMARY KEY,
  biz_day VARCHAR(10) NOT NULL, -- the day that was gone through whole
  after_id BIGINT NOT NULL
);

CREATE TABLE outreach_rules (
  id BIGINT NOT NULL PRIMARY KEY, -- 1: there is one
  missed BOOLEAN NOT NULL,
  silent_days INT NOT NULL,
  min_visits INT NOT NULL,
  rhythm_percent INT NOT NULL,
  forget_days INT NOT NULL,
  back_days INT NOT NULL,
  birthdays BOOLEAN NOT NULL,
  coupon_ids TEXT NOT NULL,
  price_li INT NOT NULL, -- of one text message, in thousandths of a yuan
  updated_at BIGINT NOT NULL
);

CREATE TABLE outreach_runs (
  holiday_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  after_id BIGINT NOT NULL,
  greeted INT NOT NULL,
  gifted INT NOT NULL,
  done_at BIGINT NOT NULL,
  PRIMARY KEY (holiday_id, biz_day),
  FOREIGN KEY (holiday_id) REFERENCES outreach_holidays (id)
);

CREATE TABLE outreach_tasks (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL, -- missed, birthday
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  dedupe VARCHAR(64) NOT NULL UNIQUE,
  due_day CHAR(10) NOT NULL, -- the last visit, or the birthday
  last_day VARCHAR(10) NOT NULL,
  visits INT NOT NULL,
  rhythm_days INT NOT NULL,
  state VARCHAR(16) NOT NULL, -- open, handled, back, gone
  outcome VARCHAR(16) NOT NULL,
  tries INT NOT NULL,
  note VARCHAR(200) NOT NULL,
  template_id BIGINT NOT NULL,
  coupon_id BIGINT NOT NULL,
  texted_at BIGINT NOT NULL,
  back_day VARCHAR(10) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  handled_at BIGINT NOT NULL
);

CREATE INDEX outreach_tasks_handled ON outreach_tasks (kind, handled_at);

CREATE INDEX outreach_tasks_list ON outreach_tasks (kind, state, due_day, id);

CREATE INDEX outreach_tasks_member ON outreach_tasks (member_id, state);

CREATE TABLE pass_events (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  detail VARCHAR(200) NOT NULL,
  actor_name VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX pass_events_pass ON pass_events (pass_id, id);

CREATE TABLE pass_funds (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  sale_id BIGINT NOT NULL UNIQUE,
  kind VARCHAR(16) NOT NULL,
  times BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX pass_funds_pass ON pass_funds (pass_id, id);

CREATE TABLE pass_lines (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  sort_no BIGINT NOT NULL,
  title VARCHAR(64) NOT NULL,
  counted BOOLEAN NOT NULL,
  times BIGINT NOT NULL,
  left_uses BIGINT NOT NULL,
  lost_uses BIGINT NOT NULL,
  value_fen BIGINT NOT NULL,
  lost_fen BIGINT NOT NULL,
  list_fen BIGINT NOT NULL,
  service_ids TEXT NOT NULL,
  good_ids TEXT NOT NULL
);

CREATE INDEX pass_lines_pass ON pass_lines (pass_id, sort_no);

CREATE TABLE pass_passes (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_no VARCHAR(24) NOT NULL UNIQUE,
  plan_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  sale_id BIGINT NOT NULL,
  renews_id BIGINT NULL UNIQUE,
  source VARCHAR(16) NOT NULL,
  dedupe VARCHAR(96) NULL UNIQUE,
  name VARCHAR(64) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  terms TEXT NOT NULL,
  paid_fen BIGINT NOT NULL,
  value_fen BIGINT NOT NULL,
  lost_fen BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  paused_at BIGINT NOT NULL,
  pause_until BIGINT NOT NULL,
  paused_ms BIGINT NOT NULL,
  plate_at BIGINT NOT NULL,
  renew_on BOOLEAN NOT NULL,
  renew_note VARCHAR(100) NOT NULL,
  noticed_at BIGINT NOT NULL,
  warned_for BIGINT NOT NULL,
  gift_code VARCHAR(24) NULL UNIQUE,
  gift_until BIGINT NOT NULL,
  given_by BIGINT NOT NULL,
  end_posting_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  paid_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);

CREATE INDEX pass_passes_due ON pass_passes (state, expires_at, id);

CREATE INDEX pass_passes_member ON pass_passes (member_id, state, id);

CREATE INDEX pass_passes_payer ON pass_passes (payer_id, id);

CREATE INDEX pass_passes_plan ON pass_passes (plan_id, member_id);

CREATE TABLE pass_plans (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(64) NOT NULL UNIQUE,
  on_sale BOOLEAN NOT NULL,
  stock BIGINT NOT NULL,
  sold BIGINT NOT NULL,
  sort_no BIGINT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE pass_plates (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  bound_at BIGINT NOT NULL,
  UNIQUE (pass_id, plate)
);

CREATE INDEX pass_plates_plate ON pass_plates (plate);

CREATE TABLE pass_refunds (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  plan TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX pass_refunds_pass ON pass_refunds (pass_id, id);

CREATE TABLE pass_uses (
  id BIGINT NOT NULL PRIMARY KEY,
  pass_id BIGINT NOT NULL,
  line_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  service_id BIGINT NOT NULL,
  good_id BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  upgraded BOOLEAN NOT NULL,
  value_fen BIGINT NOT NULL,
  undone BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX pass_uses_order ON pass_uses (order_id);

CREATE INDEX pass_uses_pass ON pass_uses (pass_id, biz_day);

CREATE TABLE payment_history (
  id BIGINT NOT NULL PRIMARY KEY,
  payment_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  from_state VARCHAR(16) NOT NULL,
  to_state VARCHAR(16) NOT NULL,
  by_name VARCHAR(100) NOT NULL,
  FOREIGN KEY (payment_id) REFERENCES payment_intents (id)
);

CREATE INDEX payment_history_payment ON payment_history (payment_id, id);

CREATE TABLE payment_intents (
  id BIGINT NOT NULL PRIMARY KEY,
  out_trade_no VARCHAR(32) NOT NULL UNIQUE,
  transaction_id VARCHAR(64) NULL UNIQUE,
  active_key VARCHAR(64) NULL UNIQUE,
  purpose VARCHAR(16) NOT NULL,
  subject_id BIGINT NOT NULL,
  app VARCHAR(32) NOT NULL,
  app_id VARCHAR(32) NOT NULL,
  trade_type VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  wechat_state VARCHAR(32) NOT NULL,
  amount_fen BIGINT NOT NULL,
  paid_fen BIGINT NOT NULL,
  refunded_fen BIGINT NOT NULL,
  open_id VARCHAR(128) NOT NULL,
  description VARCHAR(127) NOT NULL,
  prepay_id VARCHAR(128) NOT NULL,
  code_url VARCHAR(255) NOT NULL,
  sent_at BIGINT NOT NULL,
  prepay_at BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  alert VARCHAR(300) NOT NULL,
  polls INT NOT NULL,
  next_check_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  paid_at BIGINT NULL
);

CREATE INDEX payment_intents_due ON payment_intents (state, next_check_at, id);

CREATE INDEX payment_intents_subject ON payment_intents (purpose, subject_id, id);

CREATE TABLE payment_notifications (
  id BIGINT NOT NULL PRIMARY KEY,
  notification_id VARCHAR(64) NULL UNIQUE,
  payment_id BIGINT NULL,
  kind VARCHAR(64) NOT NULL,
  outcome VARCHAR(20) NOT NULL,
  detail VARCHAR(300) NOT NULL,
  http_status INT NOT NULL,
  content TEXT NOT NULL,
  at BIGINT NOT NULL
);

CREATE INDEX payment_notifications_outcome ON payment_notifications (outcome, at, id);

CREATE INDEX payment_notifications_payment ON payment_notifications (payment_id, id);

CREATE TABLE payment_refunds (
  id BIGINT NOT NULL PRIMARY KEY,
  payment_id BIGINT NOT NULL,
  out_refund_no VARCHAR(64) NOT NULL UNIQUE,
  refund_id VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  amount_fen BIGINT NOT NULL,
  reason VARCHAR(80) NOT NULL,
  subject_kind VARCHAR(32) NOT NULL,
  subject_id BIGINT NOT NULL,
  alert VARCHAR(300) NOT NULL,
  tries INT NOT NULL,
  next_try_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL, replaced_by BIGINT NOT NULL DEFAULT 0,
  FOREIGN KEY (payment_id) REFERENCES payment_intents (id)
);

CREATE INDEX payment_refunds_due ON payment_refunds (state, next_try_at, id);

CREATE INDEX payment_refunds_payment ON payment_refunds (payment_id, id);

CREATE TABLE points_earnings (
  id BIGINT NOT NULL PRIMARY KEY,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  clawback_id BIGINT NOT NULL,
  short_points BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (ref_kind, ref_id)
);

CREATE TABLE points_gifts (
  dedupe VARCHAR(100) NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  source VARCHAR(16) NOT NULL,
  posting_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE points_rules (
  id BIGINT NOT NULL PRIMARY KEY,
  doc TEXT NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE points_takes (
  id BIGINT NOT NULL PRIMARY KEY,
  ref_kind VARCHAR(24) NOT NULL,
  ref_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  return_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (ref_kind, ref_id)
);

CREATE TABLE points_warnings (
  member_id BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  warned_at BIGINT NOT NULL,
  PRIMARY KEY (member_id, expires_at)
);

CREATE TABLE rain_credits (
  id BIGINT NOT NULL PRIMARY KEY,
  day_id BIGINT NOT NULL,
  pass_id BIGINT NOT NULL,
  active_key VARCHAR(40) NULL UNIQUE, -- pass:day while it counts: once for each pass and day
  days INT NOT NULL,
  given_at BIGINT NOT NULL,
  FOREIGN KEY (day_id) REFERENCES rain_days (id)
);

CREATE INDEX rain_credits_day ON rain_credits (day_id, id);

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

CREATE INDEX rain_days_state ON rain_days (state, id);

CREATE INDEX rain_days_store ON rain_days (store_id, biz_day, id);

CREATE TABLE rain_rules (
  id BIGINT NOT NULL PRIMARY KEY, -- 1: there is one
  vouchers BOOLEAN NOT NULL,
  template_id BIGINT NOT NULL,
  hours INT NOT NULL,
  service_ids TEXT NOT NULL,
  min_fen BIGINT NOT NULL,
  per_month INT NOT NULL,
  rebooking BOOLEAN NOT NULL,
  pass_days INT NOT NULL,
  automatic BOOLEAN NOT NULL,
  updated_at BIGINT NOT NULL
);

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

CREATE INDEX rain_vouchers_day ON rain_vouchers (day_id, id);

CREATE INDEX rain_vouchers_given ON rain_vouchers (state, given_at, id);

CREATE INDEX rain_vouchers_member ON rain_vouchers (member_id, month);

CREATE TABLE referral_codes (
  member_id BIGINT NOT NULL PRIMARY KEY,
  code VARCHAR(12) NOT NULL UNIQUE,
  picture VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE referral_days (
  inviter_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  rewarded INT NOT NULL, shared INT NOT NULL DEFAULT 0,
  PRIMARY KEY (inviter_id, biz_day)
);

CREATE TABLE referral_invites (
  id BIGINT NOT NULL PRIMARY KEY,
  inviter_id BIGINT NOT NULL,
  invitee_id BIGINT NOT NULL UNIQUE,
  state VARCHAR(16) NOT NULL,
  flags VARCHAR(120) NOT NULL,
  accepted BOOLEAN NOT NULL,
  ip_index VARCHAR(32) NOT NULL,
  paid_fen BIGINT NOT NULL,
  reward_day VARCHAR(10) NOT NULL,
  reward_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  decided_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
, via VARCHAR(16) NOT NULL DEFAULT '', share_state VARCHAR(16) NOT NULL DEFAULT '');

CREATE INDEX referral_invites_inviter ON referral_invites (inviter_id, id);

CREATE INDEX referral_invites_reward ON referral_invites (state, reward_at);

CREATE INDEX referral_invites_share ON referral_invites (share_state, created_at);

CREATE INDEX referral_invites_state ON referral_invites (state, id);

CREATE TABLE referral_marks (
  kind VARCHAR(8) NOT NULL,
  mark VARCHAR(32) NOT NULL,
  invite_id BIGINT NOT NULL,
  invitee_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (kind, mark)
);

CREATE TABLE referral_rules (
  id BIGINT NOT NULL PRIMARY KEY,
  content TEXT NOT NULL,
  updated_by VARCHAR(64) NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE remind_cars (
  vehicle_id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  registered_on VARCHAR(10) NOT NULL,
  inspected_to VARCHAR(10) NOT NULL,
  insured_to VARCHAR(10) NOT NULL,
  serviced_on VARCHAR(10) NOT NULL,
  serviced_km BIGINT NOT NULL,
  every_km BIGINT NOT NULL,
  every_months INT NOT NULL,
  km BIGINT NOT NULL,
  km_on VARCHAR(10) NOT NULL,
  seen_on VARCHAR(10) NOT NULL,
  maintenance_on VARCHAR(10) NOT NULL,
  inspection_on VARCHAR(10) NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX remind_cars_inspection ON remind_cars (inspection_on, vehicle_id);

CREATE INDEX remind_cars_insurance ON remind_cars (insured_to, vehicle_id);

CREATE INDEX remind_cars_maintenance ON remind_cars (maintenance_on, vehicle_id);

CREATE INDEX remind_cars_member ON remind_cars (member_id);

CREATE TABLE remind_runs (
  day CHAR(10) NOT NULL,
  event VARCHAR(32) NOT NULL,
  after_day VARCHAR(10) NOT NULL,
  after_id BIGINT NOT NULL,
  looked BIGINT NOT NULL,
  told BIGINT NOT NULL,
  ahead VARCHAR(200) NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  PRIMARY KEY (day, event)
);

CREATE TABLE remind_terms (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  terms TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);

CREATE TABLE roster_shifts (
  id BIGINT NOT NULL PRIMARY KEY,
  staff_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  biz_day CHAR(10) NOT NULL,
  starts INT NOT NULL,
  ends INT NOT NULL,
  break_starts INT NOT NULL,
  break_ends INT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (staff_id, store_id, biz_day, starts)
);

CREATE INDEX roster_shifts_store ON roster_shifts (store_id, biz_day);

CREATE TABLE roster_skills (
  staff_id BIGINT NOT NULL,
  skill VARCHAR(8) NOT NULL,
  level INT NOT NULL,
  PRIMARY KEY (staff_id, skill)
);

CREATE TABLE roster_technicians (
  staff_id BIGINT NOT NULL PRIMARY KEY,
  bookable BOOLEAN NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE sale_refunds (
  id BIGINT NOT NULL PRIMARY KEY,
  refund_no VARCHAR(24) NOT NULL UNIQUE,
  sale_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  principal_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  method VARCHAR(16) NOT NULL,
  payment_id BIGINT NOT NULL,
  payment_refund_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  posting_id BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);

CREATE INDEX sale_refunds_day ON sale_refunds (biz_day, store_id);

CREATE INDEX sale_refunds_sale ON sale_refunds (sale_id, id);

CREATE TABLE sale_sales (
  id BIGINT NOT NULL PRIMARY KEY,
  sale_no VARCHAR(24) NOT NULL UNIQUE,
  kind VARCHAR(24) NOT NULL,
  subject_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  plate VARCHAR(16) NOT NULL,
  title VARCHAR(100) NOT NULL,
  price_fen BIGINT NOT NULL,
  account VARCHAR(24) NOT NULL,
  method VARCHAR(16) NOT NULL,
  reference VARCHAR(64) NOT NULL,
  payment_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  principal_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  refunded_fen BIGINT NOT NULL,
  bonus_back_fen BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  result_id BIGINT NOT NULL,
  data TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  receipt TEXT NOT NULL,
  sources TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  paid_at BIGINT NULL
);

CREATE INDEX sale_sales_day ON sale_sales (biz_day, store_id);

CREATE INDEX sale_sales_member ON sale_sales (member_id, id);

CREATE INDEX sale_sales_subject ON sale_sales (kind, subject_id);

CREATE TABLE session_tokens (
  id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  subject_id BIGINT NOT NULL,
  access_hash CHAR(64) NOT NULL UNIQUE,
  access_until BIGINT NOT NULL,
  refresh_hash CHAR(64) NOT NULL UNIQUE,
  previous_hash VARCHAR(64) NOT NULL,
  previous_until BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  ip VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT NULL
);

CREATE INDEX session_tokens_previous ON session_tokens (previous_hash);

CREATE INDEX session_tokens_subject ON session_tokens (kind, subject_id);

CREATE TABLE setting_values (
  setting_key VARCHAR(64) NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);

CREATE TABLE shop_bays (
  id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  name VARCHAR(20) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  priority BOOLEAN NOT NULL,
  active BOOLEAN NOT NULL,
  sort_no INT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (store_id, name)
);

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

CREATE TABLE shop_hours (
  store_id BIGINT NOT NULL,
  weekday INT NOT NULL,
  opens INT NOT NULL,
  closes INT NOT NULL,
  PRIMARY KEY (store_id, weekday, opens)
);

CREATE TABLE shop_stores (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  live_name VARCHAR(40) NULL UNIQUE,
  address VARCHAR(200) NOT NULL,
  phone VARCHAR(30) NOT NULL,
  timezone VARCHAR(64) NOT NULL,
  hours_text VARCHAR(100) NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE slot_blocks (
  id BIGINT NOT NULL PRIMARY KEY,
  store_id BIGINT NOT NULL,
  resource_id BIGINT NOT NULL,
  resource_kind VARCHAR(16) NOT NULL,
  from_cell BIGINT NOT NULL,
  to_cell BIGINT NOT NULL,
  reason VARCHAR(100) NOT NULL,
  by_name VARCHAR(60) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX slot_blocks_resource ON slot_blocks (resource_id, to_cell);

CREATE INDEX slot_blocks_store ON slot_blocks (store_id, to_cell);

CREATE TABLE slot_cells (
  resource_id BIGINT NOT NULL,
  cell BIGINT NOT NULL, -- unix seconds / 300
  store_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  PRIMARY KEY (resource_id, cell)
);

CREATE INDEX slot_cells_owner ON slot_cells (owner_id);

CREATE TABLE slot_maps (
  resource_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL, -- cell / 2048: about a week
  version BIGINT NOT NULL, -- grows with every change: the sum over many rows says whether any of them changed
  bits VARBINARY(256) NOT NULL,
  PRIMARY KEY (resource_id, chunk)
);

CREATE TABLE slot_turns (
  chunk BIGINT NOT NULL,
  lane BIGINT NOT NULL, -- of the store that changes, so that stores hardly meet
  version BIGINT NOT NULL,
  PRIMARY KEY (chunk, lane)
);

CREATE TABLE staff_account_roles (
  account_id BIGINT NOT NULL,
  role_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, role_id),
  FOREIGN KEY (account_id) REFERENCES staff_accounts (id),
  FOREIGN KEY (role_id) REFERENCES staff_roles (id)
);

CREATE TABLE staff_account_stores (
  account_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, store_id),
  FOREIGN KEY (account_id) REFERENCES staff_accounts (id)
);

CREATE TABLE staff_accounts (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  username VARCHAR(40) NULL UNIQUE,
  password_hash VARCHAR(200) NOT NULL,
  phone_sealed VARCHAR(200) NOT NULL,
  status VARCHAR(16) NOT NULL,
  status_reason VARCHAR(200) NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_login_at BIGINT NOT NULL
);

CREATE TABLE staff_attempts (
  bucket VARCHAR(100) NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  window_until BIGINT NOT NULL
);

CREATE TABLE staff_identities (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  app VARCHAR(20) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  unionid VARCHAR(64) NOT NULL,
  bound_at BIGINT NOT NULL,
  UNIQUE (app, openid),
  UNIQUE (account_id, app),
  FOREIGN KEY (account_id) REFERENCES staff_accounts (id)
);

CREATE INDEX staff_identities_unionid ON staff_identities (unionid);

CREATE TABLE staff_invites (
  code_hash CHAR(64) NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  revoked_at BIGINT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  FOREIGN KEY (account_id) REFERENCES staff_accounts (id)
);

CREATE TABLE staff_roles (
  id BIGINT NOT NULL PRIMARY KEY,
  role_key VARCHAR(32) NOT NULL UNIQUE,
  name VARCHAR(40) NOT NULL,
  permissions TEXT NOT NULL,
  sort_no BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
, offered VARCHAR(2000) NOT NULL DEFAULT '');

CREATE TABLE tier_assignments (
  member_id BIGINT NOT NULL PRIMARY KEY,
  tier_id BIGINT NOT NULL,
  fixed BOOLEAN NOT NULL,
  reason VARCHAR(200) NOT NULL,
  set_by VARCHAR(60) NOT NULL,
  set_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  FOREIGN KEY (tier_id) REFERENCES tier_tiers (id)
);

CREATE INDEX tier_assignments_ends ON tier_assignments (ends_at, member_id);

CREATE TABLE tier_changes (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  from_tier_id BIGINT NOT NULL,
  from_name VARCHAR(20) NOT NULL,
  to_tier_id BIGINT NOT NULL,
  to_name VARCHAR(20) NOT NULL,
  source VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  changed_by VARCHAR(60) NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX tier_changes_member ON tier_changes (member_id, id);

CREATE TABLE tier_cursors (
  name VARCHAR(16) NOT NULL PRIMARY KEY,
  last_id BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE tier_earned (
  posting_id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  experience BIGINT NOT NULL,
  earned_posting_id BIGINT NOT NULL,
  undone_posting_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE tier_grants (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  right_id BIGINT NOT NULL,
  period VARCHAR(32) NOT NULL,
  granted BIGINT NOT NULL,
  used BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  expires_at BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (member_id, right_id, period)
);

CREATE INDEX tier_grants_due ON tier_grants (state, expires_at);

CREATE TABLE tier_members (
  member_id BIGINT NOT NULL PRIMARY KEY,
  tier_id BIGINT NOT NULL REFERENCES tier_tiers (id),
  reason VARCHAR(200) NOT NULL,
  set_by VARCHAR(60) NOT NULL,
  set_at BIGINT NOT NULL
, source VARCHAR(16) NOT NULL DEFAULT 'manual', version BIGINT NOT NULL DEFAULT 0, rights_until BIGINT NOT NULL DEFAULT 0);

CREATE INDEX tier_members_tier ON tier_members (tier_id, member_id);

CREATE TABLE tier_memberships (
  id BIGINT NOT NULL PRIMARY KEY,
  member_id BIGINT NOT NULL,
  plan_id BIGINT NOT NULL,
  sale_id BIGINT NOT NULL UNIQUE,
  snapshot TEXT NOT NULL,
  tier_id BIGINT NOT NULL,
  price_fen BIGINT NOT NULL,
  earned_fen BIGINT NOT NULL,
  earn_at BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  warned BOOLEAN NOT NULL,
  state VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL
, renew_on BOOLEAN NOT NULL DEFAULT FALSE, renew_note VARCHAR(100) NOT NULL DEFAULT '', noticed_at BIGINT NOT NULL DEFAULT 0, renews_id BIGINT NULL);

CREATE INDEX tier_memberships_due ON tier_memberships (state, ends_at);

CREATE INDEX tier_memberships_earn ON tier_memberships (state, earn_at);

CREATE INDEX tier_memberships_member ON tier_memberships (member_id, id);

CREATE INDEX tier_memberships_renew_due ON tier_memberships (renew_on, ends_at);

CREATE UNIQUE INDEX tier_memberships_renews ON tier_memberships (renews_id);

CREATE INDEX tier_memberships_tier ON tier_memberships (tier_id, state);

CREATE TABLE tier_plans (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(30) NOT NULL UNIQUE,
  plan_kind VARCHAR(16) NOT NULL,
  price_fen BIGINT NOT NULL,
  months INT NOT NULL,
  tier_id BIGINT NOT NULL,
  rights TEXT NOT NULL,
  note VARCHAR(500) NOT NULL,
  image VARCHAR(80) NOT NULL,
  on_sale BOOLEAN NOT NULL,
  sort_no INT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE tier_runs (
  id BIGINT NOT NULL PRIMARY KEY,
  run_key VARCHAR(40) NOT NULL UNIQUE,
  after_member BIGINT NOT NULL,
  members BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL
);

CREATE TABLE tier_tiers (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(20) NOT NULL UNIQUE,
  color CHAR(7) NOT NULL,
  tier_rank INT NOT NULL,
  discount_bp INT NOT NULL,
  default_mark INT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
, priority BOOLEAN NOT NULL DEFAULT FALSE, programme TEXT NULL);

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

CREATE INDEX tier_uses_member ON tier_uses (member_id, id);

CREATE INDEX tier_uses_order ON tier_uses (order_id);

CREATE TABLE wallet_refund_parts (
  id BIGINT NOT NULL PRIMARY KEY,
  refund_id BIGINT NOT NULL,
  topup_id BIGINT NOT NULL,
  payment_id BIGINT NOT NULL,
  payment_refund_id BIGINT NOT NULL,
  method VARCHAR(16) NOT NULL,
  amount_fen BIGINT NOT NULL,
  bonus_back_fen BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  FOREIGN KEY (refund_id) REFERENCES wallet_refunds (id)
);

CREATE INDEX wallet_refund_parts_refund ON wallet_refund_parts (refund_id);

CREATE TABLE wallet_refunds (
  id BIGINT NOT NULL PRIMARY KEY,
  refund_no VARCHAR(24) NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  bonus_back_fen BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  state VARCHAR(16) NOT NULL,
  posting_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NULL
);

CREATE INDEX wallet_refunds_day ON wallet_refunds (store_id, biz_day, id);

CREATE INDEX wallet_refunds_member ON wallet_refunds (member_id, id);

CREATE TABLE wallet_topups (
  id BIGINT NOT NULL PRIMARY KEY,
  topup_no VARCHAR(24) NOT NULL UNIQUE,
  member_id BIGINT NOT NULL,
  store_id BIGINT NOT NULL,
  plan_id BIGINT NOT NULL,
  plan_name VARCHAR(64) NOT NULL,
  amount_fen BIGINT NOT NULL,
  bonus_fen BIGINT NOT NULL,
  method VARCHAR(16) NOT NULL,
  reference VARCHAR(64) NOT NULL,
  payment_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  refunded_fen BIGINT NOT NULL,
  bonus_back_fen BIGINT NOT NULL,
  posting_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_name VARCHAR(64) NOT NULL,
  biz_day CHAR(10) NOT NULL,
  balance_after BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  credited_at BIGINT NULL
);

CREATE INDEX wallet_topups_day ON wallet_topups (store_id, biz_day, id);

CREATE INDEX wallet_topups_member ON wallet_topups (member_id, id);
