package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/id"
	"github.com/liangche/liangche/internal/money"
)

// heldSums are what all members hold. Two passes: whoever has a bonus but no principal is not looked for member by member, which takes a server
// four times as long for a million of them.
type heldSums struct {
	Principal int64 `db:"principal"`
	Bonus     int64 `db:"bonus"`
	Points    int64 `db:"points"`
	Uses      int64 `db:"uses"`
	Members   int   `db:"members"` // who hold principal or bonus
}

func heldByUnit(ctx context.Context, r db.Reader) (h heldSums, err error) {
	if err = r.Get(ctx, &h, `SELECT COALESCE(SUM(CASE WHEN a.unit = 'principal' THEN a.balance ELSE 0 END), 0) AS principal,
		COALESCE(SUM(CASE WHEN a.unit = 'bonus' THEN a.balance ELSE 0 END), 0) AS bonus, COALESCE(SUM(CASE WHEN a.unit = 'points' THEN a.balance ELSE 0 END), 0) AS points,
		COALESCE(SUM(CASE WHEN a.unit = 'uses' THEN a.balance ELSE 0 END), 0) AS uses, 0 AS members FROM ledger_accounts a`); err != nil {
		return h, err
	}
	h.Members, err = holders(ctx, r)
	return h, err
}

// bucketCase numbers instants by age, youngest first; its marks take limits(now).
func bucketCase(column string) string {
	var q strings.Builder
	q.WriteString(`CASE`)
	for i := range ages {
		fmt.Fprintf(&q, ` WHEN %s > ? THEN %d`, column, i)
	}
	fmt.Fprintf(&q, ` ELSE %d END`, len(ages))
	return q.String()
}

func limits(now time.Time) []any {
	var out []any
	for _, days := range ages {
		out = append(out, now.AddDate(0, 0, -days).UnixMilli())
	}
	return out
}

// lotAges adds what is left of principal, bonus and points to the buckets of its age. Ids are made in the order of time, so that each
// bucket is a range of them and together they are one pass.
func lotAges(ctx context.Context, r db.Reader, now time.Time, into []AgeBucket) error {
	below := int64(1) << 62
	for i := range into {
		from := int64(-1)
		if i < len(ages) {
			from = id.First(now.AddDate(0, 0, -ages[i]))
		}
		var sum struct {
			Principal int64 `db:"principal"`
			Bonus     int64 `db:"bonus"`
			Points    int64 `db:"points"`
		}
		if err := r.Get(ctx, &sum, `SELECT COALESCE(SUM(CASE WHEN unit = 'principal' THEN remaining ELSE 0 END), 0) AS principal, COALESCE(SUM(CASE WHEN unit = 'bonus' THEN remaining ELSE 0 END), 0) AS bonus,
			COALESCE(SUM(CASE WHEN unit = 'points' THEN remaining ELSE 0 END), 0) AS points FROM ledger_lots WHERE id >= ? AND id < ? AND remaining > 0`, from, below); err != nil {
			return err
		}
		into[i].PrincipalFen, into[i].BonusFen, into[i].Points = fen(sum.Principal), fen(sum.Bonus), sum.Points
		below = from
	}
	return nil
}

type aged struct {
	Bucket int   `db:"bucket"`
	Amount int64 `db:"amount"`
}

// passAges sums what is owed of passes by the age of their payment.
func passAges(ctx context.Context, r db.Reader, now time.Time) (rows []aged, err error) {
	err = r.Select(ctx, &rows, `SELECT bucket, SUM(value_fen) AS amount FROM (SELECT value_fen, `+bucketCase("paid_at")+` AS bucket FROM pass_passes
		WHERE value_fen > 0) x GROUP BY bucket`, limits(now)...)
	return rows, err
}

type overRow struct {
	MemberID  int64  `db:"member_id"`
	Principal int64  `db:"balance"`
	Named     bool   `db:"named"`
	CardNo    string `db:"card_no"`
}

const overCaps = ` FROM ledger_accounts a JOIN member_members m ON m.id = a.member_id WHERE a.unit = 'principal'
	AND ((m.name_sealed <> '' AND m.phone_index IS NOT NULL AND a.balance > ?) OR ((m.name_sealed = '' OR m.phone_index IS NULL) AND a.balance > ?))`

// overCap lists the cards above their caps, most first, with how many there are.
func overCap(ctx context.Context, r db.Reader, limit int) (rows []overRow, named, unnamed int, err error) {
	var n struct {
		Named   int `db:"named"`
		Unnamed int `db:"unnamed"`
	}
	err = r.Get(ctx, &n, `SELECT COALESCE(SUM(CASE WHEN m.name_sealed <> '' AND m.phone_index IS NOT NULL THEN 1 ELSE 0 END), 0) AS named,
		COALESCE(SUM(CASE WHEN m.name_sealed <> '' AND m.phone_index IS NOT NULL THEN 0 ELSE 1 END), 0) AS unnamed`+overCaps, int64(namedCap), int64(unnamedCap))
	if err != nil || n.Named+n.Unnamed == 0 {
		return nil, 0, 0, err
	}
	err = r.Select(ctx, &rows, `SELECT a.member_id, a.balance, CASE WHEN m.name_sealed <> '' AND m.phone_index IS NOT NULL THEN 1 ELSE 0 END AS named,
		COALESCE((SELECT c.card_no FROM member_cards c WHERE c.current_member = m.id), '') AS card_no`+overCaps+` ORDER BY a.balance DESC, a.member_id LIMIT ?`,
		int64(namedCap), int64(unnamedCap), limit)
	return rows, n.Named, n.Unnamed, err
}

// paidBack is what goes back of principal by method; fresh may go back by WeChat itself.
type paidBack struct {
	Method string
	Fresh  bool
	Amount int64
	Count  int
}

// principalBack sums the principal that is left by how it was paid, in one pass.
func principalBack(ctx context.Context, r db.Reader, now time.Time) ([]paidBack, error) {
	ways := []struct{ method, when string }{
		{"wechat", `t.method IN ('wechat', 'wechat_native') AND t.created_at > ?`}, {"wechat", `t.method IN ('wechat', 'wechat_native') AND t.created_at <= ?`},
		{"cash", `t.method = 'cash'`}, {"card", `t.method = 'card'`}, {"alipay", `t.method = 'alipay'`}, {"", `t.method IS NULL`},
	}
	since := now.Add(-refundWindow).UnixMilli()
	var q strings.Builder
	var args []any
	for i, w := range ways {
		for name, value := range map[string]string{"a": `l.remaining`, "n": `1`} {
			if q.Len() > 0 {
				q.WriteString(`, `)
			}
			fmt.Fprintf(&q, `COALESCE(SUM(CASE WHEN %s THEN %s ELSE 0 END), 0) AS %s%d`, w.when, value, name, i)
			if strings.Contains(w.when, "?") {
				args = append(args, since)
			}
		}
	}
	var v struct {
		A0 int64 `db:"a0"`
		A1 int64 `db:"a1"`
		A2 int64 `db:"a2"`
		A3 int64 `db:"a3"`
		A4 int64 `db:"a4"`
		A5 int64 `db:"a5"`
		N0 int   `db:"n0"`
		N1 int   `db:"n1"`
		N2 int   `db:"n2"`
		N3 int   `db:"n3"`
		N4 int   `db:"n4"`
		N5 int   `db:"n5"`
	}
	if err := r.Get(ctx, &v, `SELECT `+q.String()+` FROM ledger_lots l LEFT JOIN wallet_topups t ON t.id = l.ref_id AND l.ref_kind = 'topup' WHERE l.unit = 'principal' AND l.remaining > 0`, args...); err != nil {
		return nil, err
	}
	amounts, counts := []int64{v.A0, v.A1, v.A2, v.A3, v.A4, v.A5}, []int{v.N0, v.N1, v.N2, v.N3, v.N4, v.N5}
	var out []paidBack
	for i, w := range ways {
		if counts[i] > 0 {
			out = append(out, paidBack{w.method, i == 0, amounts[i], counts[i]})
		}
	}
	return out, nil
}

// principalParts are the principal of some members by payment.
func principalParts(ctx context.Context, r db.Reader, members []int64, now time.Time) ([]BackPart, error) {
	var rows []struct {
		MemberID int64  `db:"member_id"`
		No       string `db:"topup_no"`
		Method   string `db:"method"`
		At       int64  `db:"paid_at"`
		Amount   int64  `db:"remaining"`
	}
	err := db.SelectIn(ctx, r, &rows, `SELECT l.member_id, COALESCE(t.topup_no, '') AS topup_no, COALESCE(t.method, '') AS method, COALESCE(t.created_at, l.created_at) AS paid_at, l.remaining
		FROM ledger_lots l LEFT JOIN wallet_topups t ON t.id = l.ref_id AND l.ref_kind = 'topup'
		WHERE l.account_id IN (SELECT a.id FROM ledger_accounts a WHERE a.member_id IN (?) AND a.unit = 'principal') AND l.remaining > 0 ORDER BY l.id`, members)
	out := make([]BackPart, 0, len(rows))
	for _, v := range rows {
		p := BackPart{Source: "balance", Title: strings.TrimSpace("充值 " + v.No), At: clock.FromMillis(v.At), AmountFen: fen(v.Amount), memberID: v.MemberID}
		p.Tender, p.ByHand = tenderOf(v.Method, p.At, now)
		out = append(out, p)
	}
	return out, err
}

type fundRow struct {
	OwedID    int64  `db:"owed_id"`
	Method    string `db:"method"`
	PaidAt    int64  `db:"paid_at"`
	Price     int64  `db:"price_fen"`
	Refunded  int64  `db:"refunded_fen"`
	Principal int64  `db:"principal_fen"`
	Bonus     int64  `db:"bonus_fen"`
}

// owedRow is a pass or membership of which something is still owed.
type owedRow struct {
	ID       int64  `db:"id"`
	Title    string `db:"title"`
	MemberID int64  `db:"member_id"`
	Value    int64  `db:"value_fen"`
}

const passFunds = `SELECT f.pass_id AS owed_id, s.method, COALESCE(s.paid_at, s.created_at) AS paid_at, s.price_fen, s.refunded_fen, s.principal_fen, s.bonus_fen
	FROM pass_funds f JOIN sale_sales s ON s.id = f.sale_id WHERE f.pass_id IN (?) ORDER BY f.id DESC`

// passParts are what goes back of passes: after an id in chunks, or of some members. Who paid gets it.
func passParts(ctx context.Context, r db.Reader, members []int64, after int64, limit int, now time.Time) (out []BackPart, last int64, err error) {
	const columns = `SELECT id, name AS title, payer_id AS member_id, value_fen FROM pass_passes WHERE value_fen > 0 AND `
	var rows []owedRow
	if members != nil {
		err = db.SelectIn(ctx, r, &rows, columns+`payer_id IN (?) ORDER BY id`, members)
	} else {
		err = r.Select(ctx, &rows, columns+`id > ? ORDER BY id LIMIT ?`, after, limit)
	}
	if err != nil || len(rows) == 0 {
		return nil, 0, err
	}
	out, err = fundParts(ctx, r, "pass", rows, passFunds, now)
	if members == nil && len(rows) == limit {
		last = rows[len(rows)-1].ID
	}
	return out, last, err
}

// fundParts spreads what is owed over the sales that paid.
func fundParts(ctx context.Context, r db.Reader, source string, rows []owedRow, query string, now time.Time) (out []BackPart, err error) {
	ids := make([]int64, 0, len(rows))
	for _, v := range rows {
		ids = append(ids, v.ID)
	}
	funds := map[int64][]fund{}
	for chunk := range slices.Chunk(ids, 500) {
		var sales []fundRow
		if err := db.SelectIn(ctx, r, &sales, query, chunk); err != nil {
			return nil, err
		}
		for _, s := range sales {
			funds[s.OwedID] = append(funds[s.OwedID], fund{Method: s.Method, PaidAt: clock.FromMillis(s.PaidAt), Left: fen(s.Price - s.Refunded), Principal: fen(s.Principal), Bonus: fen(s.Bonus)})
		}
	}
	for _, v := range rows {
		out = append(out, spreadBack(money.Fen(v.Value), funds[v.ID], BackPart{Source: source, Title: v.Title, memberID: v.MemberID}, now)...)
	}
	return out, nil
}

const membershipFunds = `SELECT t.id AS owed_id, s.method, COALESCE(s.paid_at, s.created_at) AS paid_at, s.price_fen, s.refunded_fen, s.principal_fen, s.bonus_fen
	FROM tier_memberships t JOIN sale_sales s ON s.id = t.sale_id WHERE t.id IN (?)`

// membershipParts are what goes back of paid memberships: after an id in chunks, or of some members.
func membershipParts(ctx context.Context, r db.Reader, members []int64, after int64, limit int, now time.Time) (out []BackPart, last int64, err error) {
	const columns = `SELECT id, '付费会员' AS title, member_id, price_fen - earned_fen AS value_fen FROM tier_memberships WHERE state = 'active' AND price_fen > earned_fen AND `
	var rows []owedRow
	if members != nil {
		err = db.SelectIn(ctx, r, &rows, columns+`member_id IN (?) ORDER BY id`, members)
	} else {
		err = r.Select(ctx, &rows, columns+`id > ? ORDER BY id LIMIT ?`, after, limit)
	}
	if err != nil || len(rows) == 0 {
		return nil, 0, err
	}
	out, err = fundParts(ctx, r, "membership", rows, membershipFunds, now)
	if members == nil && len(rows) == limit {
		last = rows[len(rows)-1].ID
	}
	return out, last, err
}

// depositParts are the deposits of bookings that are still to come: after an id in chunks, or of some members. All were paid by WeChat.
func depositParts(ctx context.Context, r db.Reader, members []int64, after int64, limit int, now time.Time) (out []BackPart, last int64, err error) {
	const columns = `SELECT id, title, member_id, deposit_fen - deposit_back_fen AS value_fen, created_at FROM booking_bookings WHERE deposit_state = 'paid' AND deposit_fen > deposit_back_fen AND `
	var rows []struct {
		owedRow
		At int64 `db:"created_at"`
	}
	if members != nil {
		err = db.SelectIn(ctx, r, &rows, columns+`member_id IN (?) ORDER BY id`, members)
	} else {
		err = r.Select(ctx, &rows, columns+`id > ? ORDER BY id LIMIT ?`, after, limit)
	}
	for _, v := range rows {
		p := BackPart{Source: "deposit", Title: "定金 " + v.Title, At: clock.FromMillis(v.At), AmountFen: fen(v.Value), memberID: v.MemberID}
		p.Tender, p.ByHand = tenderOf("wechat", p.At, now)
		out = append(out, p)
	}
	if members == nil && len(rows) == limit {
		last = rows[len(rows)-1].ID
	}
	return out, last, err
}

// owedMembers are the next members who would get something, in ascending order.
func owedMembers(ctx context.Context, r db.Reader, after int64, limit int) ([]int64, error) {
	var all []int64
	for _, q := range []string{
		`SELECT member_id FROM ledger_accounts WHERE unit = 'principal' AND balance > 0 AND member_id > ? ORDER BY member_id LIMIT ?`,
		`SELECT DISTINCT payer_id FROM pass_passes WHERE value_fen > 0 AND payer_id > ? ORDER BY payer_id LIMIT ?`,
		`SELECT DISTINCT member_id FROM tier_memberships WHERE state = 'active' AND price_fen > earned_fen AND member_id > ? ORDER BY member_id LIMIT ?`,
		`SELECT DISTINCT member_id FROM booking_bookings WHERE deposit_state = 'paid' AND deposit_fen > deposit_back_fen AND member_id > ? ORDER BY member_id LIMIT ?`,
	} {
		var ids []int64
		if err := r.Select(ctx, &ids, q, after, limit); err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), limit)], nil
}

// sweep reads what goes back of one kind of promise: everything after an id, or what some members get.
type sweep func(ctx context.Context, r db.Reader, members []int64, after int64, limit int, now time.Time) (parts []BackPart, last int64, err error)

// owed are the promises beside stored value.
func (s *Service) owed() []sweep { return []sweep{passParts, membershipParts, depositParts} }
