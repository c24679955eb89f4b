package report

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
)

// scope is what is looked at: store ids (0 is online) and a business date.
type scope struct {
	stores []int64
	date   string
}

// read runs a query whose first `IN (?)` takes the scope's stores. An empty scope reads nothing.
func (s scope) read(ctx context.Context, r db.Reader, dest any, query string, args ...any) error {
	if len(s.stores) == 0 {
		return nil
	}
	q, all, err := db.In(query, append([]any{s.stores}, args...)...)
	if err != nil {
		return err
	}
	return r.Select(ctx, dest, q, all...)
}

// readFlows sums what the postings of the date moved on the shop's money accounts. A debit of the shop (money in) is
// written negative, because the postings balance against what members hold.
func (s scope) readFlows(ctx context.Context, r db.Reader) (map[string]flow, error) {
	var rows []struct {
		Account string `db:"account"`
		Back    bool   `db:"back"`
		Amount  int64  `db:"amount"`
		Count   int    `db:"n"`
	}
	err := s.read(ctx, r, &rows, `SELECT e.account, CASE WHEN e.amount > 0 THEN 1 ELSE 0 END AS back, SUM(e.amount) AS amount, COUNT(*) AS n
		FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id
		WHERE p.store_id IN (?) AND p.biz_day = ? AND e.unit = 'shop' AND e.amount <> 0 AND e.account IN ('cash', 'card', 'alipay', 'wechat')
		GROUP BY e.account, CASE WHEN e.amount > 0 THEN 1 ELSE 0 END`, s.date)
	out := map[string]flow{}
	for _, v := range rows {
		f := out[v.Account]
		if v.Back {
			f.out, f.outCnt = f.out-fen(v.Amount), f.outCnt+v.Count
		} else {
			f.in, f.inCount = f.in-fen(v.Amount), f.inCount+v.Count
		}
		out[v.Account] = f
	}
	return out, err
}

type event struct {
	At     int64 `db:"at"`
	Amount int64 `db:"amount"`
	Bonus  int64 `db:"bonus"`
}

func (s scope) settled(ctx context.Context, r db.Reader) (rows []event, err error) {
	err = s.read(ctx, r, &rows, `SELECT settled_at AS at, total_fen AS amount, 0 AS bonus FROM checkout_orders
		WHERE store_id IN (?) AND biz_day = ? AND status = 'settled'`, s.date)
	return rows, err
}

func (s scope) toppedUp(ctx context.Context, r db.Reader) (rows []event, err error) {
	err = s.read(ctx, r, &rows, `SELECT credited_at AS at, amount_fen AS amount, bonus_fen AS bonus FROM wallet_topups
		WHERE store_id IN (?) AND biz_day = ? AND state IN ('credited', 'refunded') AND credited_at IS NOT NULL`, s.date)
	return rows, err
}

func (s scope) byBalance(ctx context.Context, r db.Reader) (int64, error) {
	var rows []int64
	err := s.read(ctx, r, &rows, `SELECT COALESCE(SUM(t.amount_fen), 0) FROM checkout_tenders t JOIN checkout_orders o ON o.id = t.order_id
		WHERE t.store_id IN (?) AND t.biz_day = ? AND t.kind = 'balance' AND o.status = 'settled'`, s.date)
	return first(rows), err
}

type dayRow struct {
	Day    string `db:"biz_day"`
	Amount int64  `db:"amount"`
}

func (s scope) settledDays(ctx context.Context, r db.Reader, from string) (rows []dayRow, err error) {
	err = s.read(ctx, r, &rows, `SELECT biz_day, SUM(total_fen) AS amount FROM checkout_orders
		WHERE store_id IN (?) AND biz_day BETWEEN ? AND ? AND status = 'settled' GROUP BY biz_day`, from, s.date)
	return rows, err
}

func (s scope) topupDays(ctx context.Context, r db.Reader, from string) (rows []dayRow, err error) {
	err = s.read(ctx, r, &rows, `SELECT biz_day, SUM(amount_fen) AS amount FROM wallet_topups
		WHERE store_id IN (?) AND biz_day BETWEEN ? AND ? AND state IN ('credited', 'refunded') GROUP BY biz_day`, from, s.date)
	return rows, err
}

func (s scope) joined(ctx context.Context, r db.Reader, from, to int64) (int, error) {
	var rows []int
	err := s.read(ctx, r, &rows, `SELECT COUNT(*) FROM member_members WHERE store_id IN (?) AND joined_at >= ? AND joined_at < ?
		AND status NOT IN ('review', 'rejected')`, from, to)
	return first(rows), err
}

func (s scope) openDisputes(ctx context.Context, r db.Reader) (int, error) {
	var rows []int
	err := s.read(ctx, r, &rows, `SELECT COUNT(*) FROM checkout_disputes WHERE store_id IN (?) AND status = 'open'`)
	return first(rows), err
}

// awaiting counts the orders that wait for WeChat now. They wait for minutes, so only the dates since are looked at.
func (s scope) awaiting(ctx context.Context, r db.Reader, since string) (int, error) {
	var rows []int
	err := s.read(ctx, r, &rows, `SELECT COUNT(*) FROM checkout_orders WHERE store_id IN (?) AND biz_day >= ? AND status = 'awaiting_payment'`, since)
	return first(rows), err
}

// readLiability sums what members hold, of the whole business. The sums are those of the journal's months: of a million members the accounts
// would take a second and a half.
func readLiability(ctx context.Context, r db.Reader) (l Liability, err error) {
	months, err := ledger.ReadMonths(ctx, r)
	if err != nil {
		return l, err
	}
	l.PrincipalFen, l.BonusFen = fen(months.Total(ledger.Held(ledger.Principal))), fen(months.Total(ledger.Held(ledger.Bonus)))
	l.Members, err = holders(ctx, r)
	return l, err
}

// holders counts who hold principal or bonus.
func holders(ctx context.Context, r db.Reader) (n int, err error) {
	err = r.Get(ctx, &n, `SELECT COUNT(DISTINCT member_id) FROM ledger_accounts WHERE unit IN ('principal', 'bonus') AND balance > 0`)
	return n, err
}

func first[T any](rows []T) (v T) {
	if len(rows) > 0 {
		v = rows[0]
	}
	return v
}
