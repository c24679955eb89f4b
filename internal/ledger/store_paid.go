package ledger

import (
	"cmp"
	"context"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// tenders are the accounts on which money comes in and goes back; a deposit is not yet a payment, it becomes one when it is used.
const tenders = `('cash', 'card', 'alipay', 'wechat', 'deposit')`

// Paid is what a member really paid by one posting: by cash, card, Alipay, WeChat or principal, for work or for something that was sold. A
// top-up only changes the form of money, a merge only its holder, and a gift is none: for all of them it is 0, and a top-up says apart what principal it
// brought. What goes back is negative.
type Paid struct {
	PostingID, MemberID, StoreID int64
	Kind, RefKind                string
	RefID                        int64
	ReversesID                   int64 // the posting that this one undoes, 0 for none
	Fen                          money.Fen
	ToppedFen                    money.Fen
	At                           time.Time
}

// PaidAfter reads the members' postings after an id with what was really paid by them, in the order of their ids. Postings of the last moments
// may be followed by some with lower ids.
func PaidAfter(ctx context.Context, r db.Reader, after int64, limit int) ([]Paid, error) {
	var rows []postingRow
	if err := r.Select(ctx, &rows, `SELECT id, kind, member_id, store_id, biz_day, ref_kind, ref_id, reverses_id, actor_kind, actor_id, actor_name, title, memo, created_at
		FROM ledger_postings WHERE id > ? ORDER BY id LIMIT ?`, after, limit); err != nil || len(rows) == 0 {
		return nil, err
	}
	var sums []struct {
		ID  int64 `db:"posting_id"`
		Fen int64 `db:"fen"`
	}
	ids := make([]int64, len(rows))
	for i, p := range rows {
		ids[i] = p.ID
	}
	query, args, err := db.In(`SELECT posting_id, COALESCE(SUM(-amount), 0) AS fen FROM ledger_entries WHERE posting_id IN (?)
		AND (unit = 'principal' OR account IN `+tenders+`) GROUP BY posting_id`, ids)
	if err != nil {
		return nil, err
	}
	if err := r.Select(ctx, &sums, query, args...); err != nil {
		return nil, err
	}
	paid := map[int64]int64{}
	for _, x := range sums {
		paid[x.ID] = x.Fen
	}
	topped, err := toppedUp(ctx, r, rows)
	if err != nil {
		return nil, err
	}
	out := make([]Paid, 0, len(rows))
	for _, p := range rows {
		if p.Kind == KindMerge {
			delete(paid, p.ID) // it was paid long before
		}
		x := Paid{PostingID: p.ID, MemberID: p.MemberID, StoreID: p.StoreID, Kind: p.Kind, RefKind: p.RefKind, RefID: p.RefID, Fen: money.Fen(paid[p.ID]), ToppedFen: topped[p.ID],
			At: clock.FromMillis(p.CreatedAt)}
		if p.ReversesID != nil {
			x.ReversesID = *p.ReversesID
		}
		out = append(out, x)
	}
	return out, nil
}

// toppedUp is the principal that the top-ups among postings brought.
func toppedUp(ctx context.Context, r db.Reader, rows []postingRow) (map[int64]money.Fen, error) {
	var ids []int64
	for _, p := range rows {
		if p.Kind == KindTopup {
			ids = append(ids, p.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	query, args, err := db.In(`SELECT posting_id, SUM(amount) AS fen FROM ledger_entries WHERE posting_id IN (?) AND unit = 'principal' GROUP BY posting_id`, ids)
	if err != nil {
		return nil, err
	}
	var sums []struct {
		ID  int64     `db:"posting_id"`
		Fen money.Fen `db:"fen"`
	}
	err = r.Select(ctx, &sums, query, args...)
	out := make(map[int64]money.Fen, len(sums))
	for _, x := range sums {
		out[x.ID] = x.Fen
	}
	return out, err
}

// Brought is the money that a member brought from outside: by cash, card, Alipay and WeChat, less what went back.
type Brought struct {
	NetFen money.Fen
	First  time.Time // of the first payment
}

// BroughtBy reads the money that members brought (N16), each together with all who are the same person by merges. Who never paid is missing.
func BroughtBy(ctx context.Context, r db.Reader, members []int64) (map[int64]Brought, error) {
	out := map[int64]Brought{}
	for len(members) > 0 {
		n := min(len(members), 500)
		ask, lead, err := families(ctx, r, members[:n])
		if err != nil {
			return nil, err
		}
		query, args, err := db.In(`SELECT member_id, COALESCE(SUM(-amount), 0) AS fen, COALESCE(MIN(CASE WHEN amount < 0 THEN created_at END), 0) AS first_at
			FROM ledger_entries WHERE member_id IN (?) AND account IN `+tenders+` GROUP BY member_id`, ask)
		if err != nil {
			return nil, err
		}
		var rows []struct {
			MemberID int64 `db:"member_id"`
			Fen      int64 `db:"fen"`
			FirstAt  int64 `db:"first_at"`
		}
		if err := r.Select(ctx, &rows, query, args...); err != nil {
			return nil, err
		}
		sums := map[int64]Brought{} // by who they are now
		for _, x := range rows {
			who := cmp.Or(lead[x.MemberID], x.MemberID)
			b, at := sums[who], clock.Maybe(x.FirstAt)
			if b.First.IsZero() || !at.IsZero() && at.Before(b.First) {
				b.First = at
			}
			sums[who] = Brought{b.NetFen + money.Fen(x.Fen), b.First}
		}
		for _, m := range members[:n] {
			if b, ok := sums[cmp.Or(lead[m], m)]; ok {
				out[m] = b
			}
		}
		members = members[n:]
	}
	return out, nil
}

// Reversed says whether a posting was undone.
func Reversed(ctx context.Context, r db.Reader, postingID int64) (bool, error) {
	var n int
	err := r.Get(ctx, &n, `SELECT COUNT(*) FROM ledger_postings WHERE reverses_id = ?`, postingID)
	return n > 0, err
}
