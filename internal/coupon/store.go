package coupon

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type templateRow struct {
	ID        int64   `db:"id"`
	Name      string  `db:"name"`
	LiveName  *string `db:"live_name"` // the name while it is active: unique
	TermsID   int64   `db:"terms_id"`
	PerMember int64   `db:"per_member"`
	Active    bool    `db:"active"`
	CreatedAt int64   `db:"created_at"`
	UpdatedAt int64   `db:"updated_at"`
}

const templateColumns = `id, name, live_name, terms_id, per_member, active, created_at, updated_at`

func (t templateRow) named(active bool) templateRow {
	t.Active, t.LiveName = active, nil
	if active {
		t.LiveName = &t.Name
	}
	return t
}

func templates(ctx context.Context, r db.Reader) (rows []templateRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+templateColumns+` FROM coupon_templates ORDER BY id DESC`)
}

func templateByID(ctx context.Context, r db.Reader, id int64, lock string) (t templateRow, err error) {
	err = r.Get(ctx, &t, `SELECT `+templateColumns+` FROM coupon_templates WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return t, err
}

func insertTemplate(ctx context.Context, tx *db.Tx, t templateRow) error {
	err := tx.Insert(ctx, "coupon_templates", t)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

func updateTemplate(ctx context.Context, tx *db.Tx, t templateRow) error {
	_, err := tx.Exec(ctx, `UPDATE coupon_templates SET name = ?, live_name = ?, terms_id = ?, per_member = ?, active = ?, updated_at = ? WHERE id = ?`,
		t.Name, t.LiveName, t.TermsID, t.PerMember, t.Active, tx.Millis(), t.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

func insertTerms(ctx context.Context, tx *db.Tx, templateID int64, t Terms) (int64, error) {
	doc, err := t.text()
	if err != nil {
		return 0, err
	}
	id := tx.NewID()
	return id, tx.Insert(ctx, "coupon_terms", struct {
		ID         int64  `db:"id"`
		TemplateID int64  `db:"template_id"`
		Doc        string `db:"doc"`
		CreatedAt  int64  `db:"created_at"`
	}{id, templateID, doc, tx.Millis()})
}

// terms reads frozen terms; what was read once is kept, because they never change. Nobody reads terms that the own transaction has written.
func (s *Service) terms(ctx context.Context, r db.Reader, id int64) (t Terms, err error) {
	s.mu.Lock()
	t, known := s.frozen[id]
	s.mu.Unlock()
	if known {
		return t, nil
	}
	var doc string
	if err = r.Get(ctx, &doc, `SELECT doc FROM coupon_terms WHERE id = ?`, id); err != nil {
		return t, err
	}
	if err = json.Unmarshal([]byte(doc), &t); err != nil {
		return t, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.frozen) > 5000 {
		clear(s.frozen)
	}
	s.frozen[id] = t
	return t, nil
}

type row struct {
	ID         int64  `db:"id"`
	TemplateID int64  `db:"template_id"`
	TermsID    int64  `db:"terms_id"`
	MemberID   int64  `db:"member_id"`
	FirstID    int64  `db:"first_member_id"`
	SeqNo      int64  `db:"seq_no"` // the member's how-manieth of the template
	State      string `db:"state"`
	Source     string `db:"source"`
	SourceID   int64  `db:"source_id"`
	Dedupe     string `db:"dedupe"`
	RefKind    string `db:"ref_kind"`
	RefID      int64  `db:"ref_id"`
	GiftedFrom int64  `db:"gifted_from"`
	StartsAt   int64  `db:"starts_at"`
	ExpiresAt  int64  `db:"expires_at"`
	WarnedAt   int64  `db:"warned_at"`
	IssuedAt   int64  `db:"issued_at"`
	EndedAt    int64  `db:"ended_at"`
}

const columns = `id, template_id, terms_id, member_id, first_member_id, seq_no, state, source, source_id, dedupe, ref_kind, ref_id, gifted_from, starts_at, expires_at, warned_at, issued_at, ended_at`

func byID(ctx context.Context, r db.Reader, id int64, lock string) (c row, err error) {
	err = r.Get(ctx, &c, `SELECT `+columns+` FROM coupon_coupons WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return c, err
}

func byDedupe(ctx context.Context, r db.Reader, key string) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT id FROM coupon_coupons WHERE dedupe = ?`, key)
}

// lockRows locks coupons in ascending order of their ids.
func lockRows(ctx context.Context, tx *db.Tx, ids []int64) (map[int64]row, error) {
	q, args, err := db.In(`SELECT `+columns+` FROM coupon_coupons WHERE id IN (?) ORDER BY id`+tx.ForUpdate(), ids)
	if err != nil {
		return nil, err
	}
	var rows []row
	err = tx.Select(ctx, &rows, q, args...)
	out := make(map[int64]row, len(rows))
	for _, c := range rows {
		out[c.ID] = c
	}
	return out, err
}

// openOf reads what members may use, of each the coupon first that ends first.
func openOf(ctx context.Context, r db.Reader, members []int64) (map[int64][]row, error) {
	q, args, err := db.In(openCoupons, members)
	if err != nil {
		return nil, err
	}
	var rows []row
	err = r.Select(ctx, &rows, q, args...)
	return byMember(rows, members), err
}

const openCoupons = `SELECT ` + columns + ` FROM coupon_coupons WHERE member_id IN (?) AND state = 'available' ORDER BY expires_at, id`

// openSoon is openOf with the next db.Tx.Collect.
func openSoon(tx *db.Tx, members []int64, then func(map[int64][]row)) error {
	q, args, err := db.In(openCoupons, members)
	if err != nil {
		return err
	}
	var rows []row
	tx.SelectSoon(&rows, func() { then(byMember(rows, members)) }, q, args...)
	return nil
}

func byMember(rows []row, members []int64) map[int64][]row {
	out := make(map[int64][]row, len(members))
	for _, m := range members {
		out[m] = nil
	}
	for _, c := range rows {
		out[c.MemberID] = append(out[c.MemberID], c)
	}
	return out
}

// seqOf is how many coupons of the template each member was given.
func seqOf(ctx context.Context, r db.Reader, templateID int64, members []int64) (map[int64]int64, error) {
	q, args, err := db.In(`SELECT first_member_id, MAX(seq_no) AS n FROM coupon_coupons WHERE template_id = ? AND first_member_id IN (?) GROUP BY first_member_id`, templateID, members)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		MemberID int64 `db:"first_member_id"`
		N        int64 `db:"n"`
	}
	err = r.Select(ctx, &rows, q, args...)
	out := make(map[int64]int64, len(rows))
	for _, x := range rows {
		out[x.MemberID] = x.N
	}
	return out, err
}

// beforeMerging is how many coupons of a limited template those had who were merged into each member: they are the same person.
func (s *Service) beforeMerging(ctx context.Context, r db.Reader, t templateRow, members []int64) (map[int64]int64, error) {
	if t.PerMember == 0 {
		return nil, nil
	}
	merged, err := s.Members.MergedIntoAny(ctx, r, members)
	if err != nil || len(merged) == 0 {
		return nil, err
	}
	had, err := seqOf(ctx, r, t.ID, slices.Sorted(maps.Keys(merged)))
	out := map[int64]int64{}
	for m, n := range had {
		out[merged[m]] += n
	}
	return out, err
}

// moveState changes a locked coupon's state; miss when it is not in the state from.
func moveState(ctx context.Context, tx *db.Tx, id int64, from, to, refKind string, refID int64) error {
	var ended int64
	if to == Used || to == Expired || to == Void {
		ended = tx.Millis()
	}
	return tx.ExecOne(ctx, errStateMoved, `UPDATE coupon_coupons SET state = ?, ref_kind = ?, ref_id = ?, ended_at = ? WHERE id = ? AND state = ?`, to, refKind, refID, ended, id, from)
}

type holdRow struct {
	ID        int64   `db:"id"`
	CouponID  int64   `db:"coupon_id"`
	Live      *int64  `db:"live_coupon_id"` // the coupon while it is held or used: unique (N15)
	Alone     *string `db:"alone"`          // member and day of one that goes with no other: unique
	MemberID  int64   `db:"member_id"`
	RefKind   string  `db:"ref_kind"`
	RefID     int64   `db:"ref_id"`
	State     string  `db:"state"`
	CreatedAt int64   `db:"created_at"`
	EndedAt   int64   `db:"ended_at"`
}

func liveHolds(ctx context.Context, r db.Reader, refKind string, refID int64) (rows []holdRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT id, coupon_id, live_coupon_id, alone, member_id, ref_kind, ref_id, state, created_at, ended_at
		FROM coupon_holds WHERE ref_kind = ? AND ref_id = ? AND state IN ('held', 'used') ORDER BY coupon_id`, refKind, refID)
}

func endHold(ctx context.Context, tx *db.Tx, h holdRow, to string) error {
	if to == "used" {
		return tx.ExecOne(ctx, errStateMoved, `UPDATE coupon_holds SET state = 'used', ended_at = ? WHERE id = ? AND state = 'held'`, tx.Millis(), h.ID)
	}
	return tx.ExecOne(ctx, errStateMoved, `UPDATE coupon_holds SET state = ?, live_coupon_id = NULL, alone = NULL, ended_at = ? WHERE id = ? AND state = ?`, to, tx.Millis(), h.ID, h.State)
}

// aloneUsed says whether a coupon that goes with no other is in use on the member's day.
func aloneUsed(ctx context.Context, r db.Reader, key string) (bool, error) {
	var n int64
	err := r.Get(ctx, &n, `SELECT COUNT(*) FROM coupon_holds WHERE alone = ?`, key)
	return n > 0, err
}

// dueRows reads available coupons that end at or before until (unix ms), in order, after the given one.
func dueRows(ctx context.Context, r db.Reader, after row, until int64, unwarned bool, limit int) (rows []row, err error) {
	and := ""
	if unwarned {
		and = ` AND warned_at = 0`
	}
	return rows, r.Select(ctx, &rows, `SELECT `+columns+` FROM coupon_coupons WHERE state = 'available' AND expires_at >= ? AND expires_at <= ? AND (expires_at > ? OR id > ?)`+and+
		` ORDER BY expires_at, id LIMIT ?`, after.ExpiresAt, until, after.ExpiresAt, after.ID, limit)
}

func expireRows(ctx context.Context, tx *db.Tx, ids []int64) (int64, error) {
	q, args, err := db.In(`UPDATE coupon_coupons SET state = 'expired', ended_at = ? WHERE id IN (?) AND state = 'available' AND expires_at <= ?`, tx.Millis(), ids, tx.Millis())
	if err != nil {
		return 0, err
	}
	return tx.Exec(ctx, q, args...)
}

func warnedRows(ctx context.Context, tx *db.Tx, ids []int64) error {
	q, args, err := db.In(`UPDATE coupon_coupons SET warned_at = ? WHERE id IN (?)`, tx.Millis(), ids)
	if err == nil {
		_, err = tx.Exec(ctx, q, args...)
	}
	return err
}

// endNow ends the time of a locked coupon that something holds or uses: released, it has expired.
func endNow(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE coupon_coupons SET expires_at = ? WHERE id = ? AND expires_at > ?`, tx.Millis(), id, tx.Millis())
	return err
}

// voidOpen voids what a member still has.
func voidOpen(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `UPDATE coupon_coupons SET state = 'void', ended_at = ? WHERE member_id = ? AND state = 'available'`, tx.Millis(), memberID)
	return err
}
