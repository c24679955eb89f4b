package coupon

import (
	"context"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type claimRow struct {
	ID         int64  `db:"id"`
	TemplateID int64  `db:"template_id"`
	Code       string `db:"claim_code"`
	Title      string `db:"title"`
	Note       string `db:"note"`
	Stock      int64  `db:"stock"`
	Taken      int64  `db:"taken"`
	PerMember  int64  `db:"per_member"`
	FromAt     int64  `db:"from_at"`
	UntilAt    int64  `db:"until_at"`
	Active     bool   `db:"active"`
	CreatedAt  int64  `db:"created_at"`
	UpdatedAt  int64  `db:"updated_at"`
}

const claimColumns = `id, template_id, claim_code, title, note, stock, taken, per_member, from_at, until_at, active, created_at, updated_at`

func claims(ctx context.Context, r db.Reader, before int64, limit int) (rows []claimRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+claimColumns+` FROM coupon_claims WHERE id < ? ORDER BY id DESC LIMIT ?`, before, limit)
}

func claimByID(ctx context.Context, r db.Reader, id int64, lock string) (c claimRow, err error) {
	err = r.Get(ctx, &c, `SELECT `+claimColumns+` FROM coupon_claims WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return c, err
}

func claimByCode(ctx context.Context, r db.Reader, code string) (c claimRow, err error) {
	err = r.Get(ctx, &c, `SELECT `+claimColumns+` FROM coupon_claims WHERE claim_code = ?`, code)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrCode
	}
	return c, err
}

func insertClaim(ctx context.Context, tx *db.Tx, c claimRow) error {
	err := tx.Insert(ctx, "coupon_claims", c)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrCodeTaken.On("code", "请换一个")
	}
	return err
}

// updateClaim changes a page; its stock never falls below what was taken.
func updateClaim(ctx context.Context, tx *db.Tx, c claimRow) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE coupon_claims SET title = ?, note = ?, stock = ?, per_member = ?, from_at = ?, until_at = ?, active = ?, updated_at = ? WHERE id = ? AND taken <= ?`,
		c.Title, c.Note, c.Stock, c.PerMember, c.FromAt, c.UntilAt, c.Active, tx.Millis(), c.ID, c.Stock)
}

// takeStock counts one more as taken, while there is stock and the page is open: the guard on the row decides who is in time.
func takeStock(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, ErrGone, `UPDATE coupon_claims SET taken = taken + 1 WHERE id = ? AND taken < stock AND active`, id)
}

// claimedBy is how many a member took from a page, with all who are the same person by merges.
func (s *Service) claimedBy(ctx context.Context, r db.Reader, claimID, memberID int64) (n int64, err error) {
	family, err := s.Members.Family(ctx, r, memberID)
	if err != nil {
		return 0, err
	}
	query, args, err := db.In(`SELECT COUNT(*) FROM coupon_coupons WHERE source = 'claim' AND source_id = ? AND first_member_id IN (?)`, claimID, family)
	if err != nil {
		return 0, err
	}
	return n, r.Get(ctx, &n, query, args...)
}

type giftRow struct {
	ID        int64  `db:"id"`
	CouponID  int64  `db:"coupon_id"`
	From      int64  `db:"from_member"`
	To        int64  `db:"to_member"`
	State     string `db:"state"` // open, accepted, cancelled, expired
	CreatedAt int64  `db:"created_at"`
	ExpiresAt int64  `db:"expires_at"`
	EndedAt   int64  `db:"ended_at"`
}

const giftColumns = `id, coupon_id, from_member, to_member, state, created_at, expires_at, ended_at`

func giftByID(ctx context.Context, r db.Reader, id int64, lock string) (g giftRow, err error) {
	err = r.Get(ctx, &g, `SELECT `+giftColumns+` FROM coupon_gifts WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrCode
	}
	return g, err
}

func giftsByID(ctx context.Context, r db.Reader, ids []int64) (map[int64]giftRow, error) {
	out := map[int64]giftRow{}
	if len(ids) == 0 {
		return out, nil
	}
	q, args, err := db.In(`SELECT `+giftColumns+` FROM coupon_gifts WHERE id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var rows []giftRow
	err = r.Select(ctx, &rows, q, args...)
	for _, g := range rows {
		out[g.ID] = g
	}
	return out, err
}

func dueGifts(ctx context.Context, r db.Reader, now int64, limit int) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT id FROM coupon_gifts WHERE state = 'open' AND expires_at <= ? ORDER BY expires_at, id LIMIT ?`, now, limit)
}

func openGiftsOf(ctx context.Context, r db.Reader, memberID int64) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT ref_id FROM coupon_coupons WHERE member_id = ? AND state = 'held' AND ref_kind = ? ORDER BY id`, memberID, refGift)
}

func endGift(ctx context.Context, tx *db.Tx, id, to int64, state string) error {
	return tx.ExecOne(ctx, ErrGiftOver, `UPDATE coupon_gifts SET state = ?, to_member = ?, ended_at = ? WHERE id = ? AND state = 'open'`, state, to, tx.Millis(), id)
}

// handOver gives a held coupon to another member.
func handOver(ctx context.Context, tx *db.Tx, id, from, to int64) error {
	return tx.ExecOne(ctx, errStateMoved, `UPDATE coupon_coupons SET state = 'available', member_id = ?, gifted_from = ?, ref_kind = '', ref_id = 0, warned_at = 0 WHERE id = ? AND member_id = ? AND state = 'held'`,
		to, from, id, from)
}

type issueRow struct {
	ID         int64  `db:"id"`
	TemplateID int64  `db:"template_id"`
	Filter     string `db:"filter_doc"`
	Each       int64  `db:"each_gets"`
	Note       string `db:"note"`
	State      string `db:"state"` // running, done
	Found      int64  `db:"found"`
	Issued     int64  `db:"issued"`
	Skipped    int64  `db:"skipped"`
	After      int64  `db:"after_member"`
	StaffID    int64  `db:"staff_id"`
	StaffName  string `db:"staff_name"`
	CreatedAt  int64  `db:"created_at"`
	DoneAt     int64  `db:"done_at"`
}

const issueColumns = `id, template_id, filter_doc, each_gets, note, state, found, issued, skipped, after_member, staff_id, staff_name, created_at, done_at`

func issueByID(ctx context.Context, r db.Reader, id int64, lock string) (i issueRow, err error) {
	err = r.Get(ctx, &i, `SELECT `+issueColumns+` FROM coupon_issues WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return i, err
}

func issuesBefore(ctx context.Context, r db.Reader, before int64, limit int) (rows []issueRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+issueColumns+` FROM coupon_issues WHERE id < ? ORDER BY id DESC LIMIT ?`, before, limit)
}

// advanceIssue notes a chunk of members: guarded by where the chunk began, so that it counts once.
func advanceIssue(ctx context.Context, tx *db.Tx, i issueRow, was int64) error {
	return tx.ExecOne(ctx, errStateMoved, `UPDATE coupon_issues SET found = ?, issued = ?, skipped = ?, after_member = ?, state = ?, done_at = ? WHERE id = ? AND after_member = ? AND state = 'running'`,
		i.Found, i.Issued, i.Skipped, i.After, i.State, i.DoneAt, i.ID, was)
}

// counts are how many coupons of a template are in each state.
func counts(ctx context.Context, r db.Reader) (map[int64]map[string]int64, error) {
	var rows []struct {
		TemplateID int64  `db:"template_id"`
		State      string `db:"state"`
		N          int64  `db:"n"`
	}
	err := r.Select(ctx, &rows, `SELECT template_id, state, COUNT(*) AS n FROM coupon_coupons GROUP BY template_id, state`)
	out := map[int64]map[string]int64{}
	for _, x := range rows {
		if out[x.TemplateID] == nil {
			out[x.TemplateID] = map[string]int64{}
		}
		out[x.TemplateID][x.State] = x.N
	}
	return out, err
}

// listFilter chooses coupons; zero values choose all. before is the id after which the page begins.
type listFilter struct {
	template, member, before int64
	states                   []string
}

func list(ctx context.Context, r db.Reader, f listFilter, limit int) (rows []row, err error) {
	q, args := `SELECT `+columns+` FROM coupon_coupons WHERE id < ?`, []any{f.before}
	if f.template != 0 {
		q, args = q+` AND template_id = ?`, append(args, f.template)
	}
	if f.member != 0 {
		q, args = q+` AND member_id = ?`, append(args, f.member)
	}
	if len(f.states) > 0 {
		q, args = q+` AND state IN (?)`, append(args, f.states)
	}
	q, args, err = db.In(q+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, err
	}
	return rows, r.Select(ctx, &rows, q, args...)
}

// Audit checks coupons against their holds, claims and gifts, and reports each difference in one sentence.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	for _, c := range []struct{ query, say string }{
		{`SELECT c.id FROM coupon_coupons c LEFT JOIN coupon_holds h ON h.live_coupon_id = c.id WHERE c.state IN ('held', 'used') AND (h.id IS NULL OR h.state <> c.state OR h.ref_kind <> c.ref_kind OR h.ref_id <> c.ref_id)
			ORDER BY c.id LIMIT 1000`, "coupon_coupons %d: held or used, but by no hold that says so"},
		{`SELECT h.coupon_id FROM coupon_holds h LEFT JOIN coupon_coupons c ON c.id = h.coupon_id WHERE h.live_coupon_id IS NOT NULL AND (c.id IS NULL OR c.state NOT IN ('held', 'used') OR h.live_coupon_id <> h.coupon_id)
			ORDER BY h.coupon_id LIMIT 1000`, "coupon_coupons %d: a hold is alive, but the coupon is not held"},
		{`SELECT p.id FROM coupon_claims p LEFT JOIN coupon_coupons c ON c.source = 'claim' AND c.source_id = p.id GROUP BY p.id, p.taken, p.stock HAVING COUNT(c.id) <> p.taken OR p.taken > p.stock
			ORDER BY p.id LIMIT 1000`, "coupon_claims %d: it gave another number of coupons than it says, or more than its stock"},
		{`SELECT g.id FROM coupon_gifts g LEFT JOIN coupon_coupons c ON c.id = g.coupon_id WHERE g.state = 'open' AND (c.id IS NULL OR c.state <> 'held' OR c.ref_kind <> 'coupon_gift' OR c.ref_id <> g.id)
			ORDER BY g.id LIMIT 1000`, "coupon_gifts %d: it is open, but its coupon is not held for it"},
		{`SELECT i.id FROM coupon_issues i LEFT JOIN coupon_coupons c ON c.source = 'issue' AND c.source_id = i.id GROUP BY i.id, i.issued HAVING COUNT(c.id) <> i.issued ORDER BY i.id LIMIT 1000`,
			"coupon_issues %d: it gave another number of coupons than it says"},
	} {
		var ids []int64
		if err := s.db.Select(ctx, &ids, c.query); err != nil {
			return err
		}
		for _, id := range ids {
			report(fmt.Sprintf(c.say, id))
		}
	}
	return nil
}
