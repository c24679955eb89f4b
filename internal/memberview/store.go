package memberview

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// holding is what a member has. Points are those that may be spent: without what is held or has expired, and less what is owed.
type holding struct {
	Wallet
	Points, Debt, Uses int64
}

func readHoldings(ctx context.Context, r db.Reader, ids []int64, now int64) (map[int64]holding, error) {
	var rows []struct {
		MemberID int64  `db:"member_id"`
		Unit     string `db:"unit"`
		Balance  int64  `db:"balance"`
		Held     int64  `db:"held"`
	}
	err := db.SelectIn(ctx, r, &rows, `SELECT member_id, unit, balance, held FROM ledger_accounts WHERE member_id IN (?)`, ids)
	out := make(map[int64]holding, len(ids))
	for _, a := range rows {
		h := out[a.MemberID]
		switch a.Unit {
		case "principal":
			h.PrincipalFen = money.Fen(a.Balance)
			h.HeldFen += money.Fen(a.Held)
		case "bonus":
			h.BonusFen = money.Fen(a.Balance)
			h.HeldFen += money.Fen(a.Held)
		case "points":
			h.Points += a.Balance - a.Held
		case "points_debt":
			h.Debt = a.Balance
			h.Points -= a.Balance
		case "uses":
			h.Uses = a.Balance
		}
		h.TotalFen = h.PrincipalFen + h.BonusFen
		out[a.MemberID] = h
	}
	if err != nil {
		return nil, err
	}
	var over []struct {
		MemberID int64 `db:"member_id"`
		N        int64 `db:"n"`
	}
	err = db.SelectIn(ctx, r, &over, `SELECT a.member_id, SUM(l.remaining) AS n FROM ledger_accounts a JOIN ledger_lots l ON l.account_id = a.id
		WHERE a.member_id IN (?) AND a.unit = 'points' AND l.remaining > 0 AND l.expires_at > 0 AND l.expires_at <= ? GROUP BY a.member_id`, ids, now)
	for _, x := range over {
		h := out[x.MemberID]
		h.Points -= x.N
		out[x.MemberID] = h
	}
	for id, h := range out {
		h.Points = max(h.Points, 0)
		out[id] = h
	}
	return out, err
}

// visits are settled orders; a reversed one is no visit.
type visits struct {
	MemberID int64 `db:"member_id"`
	Count    int   `db:"n"`
	Last     int64 `db:"last_at"`
	Spent    int64 `db:"spent"`
}

func readVisits(ctx context.Context, r db.Reader, ids []int64) (map[int64]visits, error) {
	var rows []visits
	err := db.SelectIn(ctx, r, &rows, `SELECT member_id, COUNT(*) AS n, MAX(settled_at) AS last_at, SUM(total_fen) AS spent
		FROM checkout_orders WHERE member_id IN (?) AND status = 'settled' GROUP BY member_id`, ids)
	out := make(map[int64]visits, len(rows))
	for _, v := range rows {
		out[v.MemberID] = v
	}
	return out, err
}

type orderRow struct {
	ID          int64  `db:"id"`
	No          string `db:"order_no"`
	MemberID    int64  `db:"member_id"`
	Plate       string `db:"plate"`
	Title       string `db:"title"`
	TotalFen    int64  `db:"total_fen"`
	Status      string `db:"status"`
	TenderLabel string `db:"tender_label"`
	CreatedAt   int64  `db:"created_at"`
}

const orderColumns = `id, order_no, member_id, plate, title, total_fen, status, tender_label, created_at`

func recentOrders(ctx context.Context, r db.Reader, memberID int64) ([]orderRow, error) {
	var rows []orderRow
	err := r.Select(ctx, &rows, `SELECT `+orderColumns+` FROM checkout_orders WHERE member_id = ? AND status = 'settled' ORDER BY id DESC LIMIT 5`, memberID)
	return rows, err
}

func recentOfPlate(ctx context.Context, r db.Reader, plate string) ([]orderRow, error) {
	var rows []orderRow
	err := r.Select(ctx, &rows, `SELECT `+orderColumns+` FROM checkout_orders WHERE plate = ? AND status = 'settled' ORDER BY id DESC LIMIT 5`, plate)
	return rows, err
}

func plateVisits(ctx context.Context, r db.Reader, plate string) (v visits, err error) {
	err = r.Get(ctx, &v, `SELECT 0 AS member_id, COUNT(*) AS n, COALESCE(MAX(settled_at), 0) AS last_at, COALESCE(SUM(total_fen), 0) AS spent
		FROM checkout_orders WHERE plate = ? AND status = 'settled'`, plate)
	return v, err
}

// todayOrders pages the orders that a store took on a business date, newest first.
func todayOrders(ctx context.Context, r db.Reader, storeID int64, day string, before int64, limit int) ([]orderRow, error) {
	var rows []orderRow
	args := []any{storeID, day}
	q := `SELECT ` + orderColumns + ` FROM checkout_orders WHERE store_id = ? AND biz_day = ?`
	if before > 0 {
		q, args = q+` AND id < ?`, append(args, before)
	}
	err := r.Select(ctx, &rows, q+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	return rows, err
}

type taking struct {
	Kind   string `db:"kind"`
	Amount int64  `db:"amount"`
	Count  int    `db:"n"`
}

// todayTakings sums what a store took on a business date by tender: settled orders, credited desk top-ups, and what was sold beside work.
func todayTakings(ctx context.Context, r db.Reader, storeID int64, day string) (orders, topups []taking, err error) {
	if err = r.Select(ctx, &orders, `SELECT t.kind AS kind, SUM(t.amount_fen) AS amount, COUNT(*) AS n FROM checkout_tenders t
		JOIN checkout_orders o ON o.id = t.order_id WHERE t.store_id = ? AND t.biz_day = ? AND o.status = 'settled' GROUP BY t.kind`, storeID, day); err != nil {
		return nil, nil, err
	}
	if err = r.Select(ctx, &topups, `SELECT method AS kind, SUM(amount_fen) AS amount, COUNT(*) AS n FROM wallet_topups
		WHERE store_id = ? AND biz_day = ? AND state IN ('credited', 'refunded') GROUP BY method`, storeID, day); err != nil {
		return nil, nil, err
	}
	var sales []taking
	err = r.Select(ctx, &sales, `SELECT method AS kind, SUM(price_fen) AS amount, COUNT(*) AS n FROM sale_sales
		WHERE store_id = ? AND biz_day = ? AND state IN ('paid', 'refunded') GROUP BY method`, storeID, day)
	return orders, append(topups, sales...), err
}

func settledOn(ctx context.Context, r db.Reader, storeID int64, day string) (t taking, err error) {
	err = r.Get(ctx, &t, `SELECT '' AS kind, COALESCE(SUM(total_fen), 0) AS amount, COUNT(*) AS n FROM checkout_orders
		WHERE store_id = ? AND biz_day = ? AND status = 'settled'`, storeID, day)
	return t, err
}

type postingRow struct {
	ID        int64  `db:"id"`
	Kind      string `db:"kind"`
	StoreID   int64  `db:"store_id"`
	RefKind   string `db:"ref_kind"`
	RefID     int64  `db:"ref_id"`
	Title     string `db:"title"`
	CreatedAt int64  `db:"created_at"`
}

const postingColumns = `p.id, p.kind, p.store_id, p.ref_kind, p.ref_id, p.title, p.created_at`

// aboutMoney leaves out what moves only points, experience or uses: each has a page of its own.
const aboutMoney = `(p.kind IN ('topup', 'consume', 'refund', 'sale', 'sale_refund') OR (p.kind IN ('reversal', 'adjust', 'merge') AND EXISTS (SELECT 1 FROM ledger_entries x
	WHERE x.posting_id = p.id AND (x.unit IN ('principal', 'bonus') OR (p.ref_kind = 'order' AND x.account = 'revenue')))))`

// newPostings reads a member's postings after an id, newest first: one read of one index, mostly empty.
func newPostings(ctx context.Context, r db.Reader, memberID, after int64, limit int) ([]postingRow, error) {
	var rows []postingRow
	err := r.Select(ctx, &rows, `SELECT `+postingColumns+` FROM ledger_postings p WHERE p.member_id = ? AND p.id > ? AND `+aboutMoney+` ORDER BY p.id DESC LIMIT ?`,
		memberID, after, limit)
	return rows, err
}

// mergedInto are the members who are this one now.
func mergedInto(ctx context.Context, r db.Reader, memberID int64) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT id FROM member_members WHERE merged_into = ? ORDER BY id`, memberID)
}

// postings pages a member's postings, newest first, with those of who was merged into them; kind "" is all.
func postings(ctx context.Context, r db.Reader, memberID int64, kind string, before int64, limit int) ([]postingRow, error) {
	const moved = `EXISTS (SELECT 1 FROM ledger_entries e WHERE e.posting_id = p.id AND e.account = 'member')`
	former, err := mergedInto(ctx, r, memberID)
	if err != nil {
		return nil, err
	}
	whose, args := `p.member_id = ?`, []any{memberID}
	if len(former) > 0 { // what went from one to the other is shown once
		if whose, args, err = db.In(`(p.member_id = ? OR (p.member_id IN (?) AND p.kind <> 'merge'))`, memberID, former); err != nil {
			return nil, err
		}
	}
	q := `SELECT ` + postingColumns + ` FROM ledger_postings p WHERE ` + whose + ` AND ` + aboutMoney
	if before > 0 {
		q, args = q+` AND p.id < ?`, append(args, before)
	}
	switch kind {
	case "":
	case KindWalkInTender:
		q += ` AND p.kind = 'consume' AND NOT ` + moved
	case "consume":
		q += ` AND p.kind = 'consume' AND ` + moved
	default:
		q, args = q+` AND p.kind = ?`, append(args, kind)
	}
	var rows []postingRow
	err = r.Select(ctx, &rows, q+` ORDER BY p.id DESC LIMIT ?`, append(args, limit)...)
	return rows, err
}

// moved is what a posting changed in one unit of the member.
type moved struct {
	PostingID    int64  `db:"posting_id"`
	Unit         string `db:"unit"`
	Amount       int64  `db:"amount"`
	BalanceAfter int64  `db:"balance_after"`
}

func movedBy(ctx context.Context, r db.Reader, postingIDs []int64) ([]moved, error) {
	var rows []moved
	err := db.SelectIn(ctx, r, &rows, `SELECT posting_id, unit, amount, balance_after FROM ledger_entries
		WHERE posting_id IN (?) AND account = 'member' AND unit IN ('principal', 'bonus') ORDER BY id`, postingIDs)
	return rows, err
}

// balancesBefore are a member's balances just before each posting; a posting that moves one unit leaves the other as
// it was.
func balancesBefore(ctx context.Context, r db.Reader, postingIDs []int64) (map[int64][2]int64, error) {
	const last = `COALESCE((SELECT e.balance_after FROM ledger_entries e WHERE e.member_id = p.member_id AND e.id < p.id AND e.account = 'member' AND e.unit = `
	var rows []struct {
		ID        int64 `db:"id"`
		Principal int64 `db:"principal"`
		Bonus     int64 `db:"bonus"`
	}
	err := db.SelectIn(ctx, r, &rows, `SELECT p.id, `+last+`'principal' ORDER BY e.id DESC LIMIT 1), 0) AS principal, `+last+
		`'bonus' ORDER BY e.id DESC LIMIT 1), 0) AS bonus FROM ledger_postings p WHERE p.id IN (?)`, postingIDs)
	out := make(map[int64][2]int64, len(rows))
	for _, v := range rows {
		out[v.ID] = [2]int64{v.Principal, v.Bonus}
	}
	return out, err
}

// amounts maps ids of a table to an amount; the query is one of this package's own constants.
func amounts(ctx context.Context, r db.Reader, query string, ids []int64) (map[int64]money.Fen, error) {
	var rows []struct {
		ID     int64 `db:"id"`
		Amount int64 `db:"amount"`
	}
	err := db.SelectIn(ctx, r, &rows, query, ids)
	out := make(map[int64]money.Fen, len(rows))
	for _, v := range rows {
		out[v.ID] = money.Fen(v.Amount)
	}
	return out, err
}

// bills maps orders to what they charged.
func bills(ctx context.Context, r db.Reader, ids []int64) (map[int64]money.Fen, error) {
	return amounts(ctx, r, `SELECT id, total_fen AS amount FROM checkout_orders WHERE id IN (?)`, ids)
}

// paidTopups maps top-ups to what was paid for them.
func paidTopups(ctx context.Context, r db.Reader, ids []int64) (map[int64]money.Fen, error) {
	return amounts(ctx, r, `SELECT id, amount_fen AS amount FROM wallet_topups WHERE id IN (?)`, ids)
}

// paidSales maps sales to what they cost, refundedSales their refunds to what went back.
func paidSales(ctx context.Context, r db.Reader, ids []int64) (map[int64]money.Fen, error) {
	return amounts(ctx, r, `SELECT id, price_fen AS amount FROM sale_sales WHERE id IN (?)`, ids)
}

func refundedSales(ctx context.Context, r db.Reader, ids []int64) (map[int64]money.Fen, error) {
	return amounts(ctx, r, `SELECT id, amount_fen AS amount FROM sale_refunds WHERE id IN (?)`, ids)
}

func charterOutdated(ctx context.Context, r db.Reader, accepted int64) (bool, error) {
	var latest int64
	err := r.Get(ctx, &latest, `SELECT COALESCE(MAX(version), 0) FROM member_charters`)
	return accepted < latest, err
}

func memberExists(ctx context.Context, r db.Reader, id int64) error {
	var n int64
	err := r.Get(ctx, &n, `SELECT id FROM member_members WHERE id = ?`, id)
	if errors.Is(err, db.ErrNoRows) {
		return fault.ErrNotFound
	}
	return err
}

// unreached says whether the last message that a channel was tried for found no way to a member, and what stands on the call list.
func unreached(ctx context.Context, r db.Reader, memberID int64) (bool, []string, error) {
	var last, untold []string
	if err := r.Select(ctx, &untold, `SELECT body FROM notify_calls WHERE member_id = ? AND state = 'open' ORDER BY id DESC LIMIT 3`, memberID); err != nil {
		return false, nil, err
	}
	err := r.Select(ctx, &last, `SELECT state FROM notify_messages WHERE member_id = ? AND state IN ('sent', 'delivered', 'called', 'refused', 'unreachable', 'failed')
		AND detail <> '没有为这类消息配置模板' ORDER BY id DESC LIMIT 1`, memberID)
	return len(last) > 0 && (last[0] == "refused" || last[0] == "unreachable"), untold, err
}
