package ledger

import (
	"context"
	"fmt"

	"github.com/liangche/liangche/internal/db"
)

// Balance is what a member holds, read without a lock: for display only, never to decide on.
type Balance struct {
	Principal, Bonus, Held, Points, PointsDebt, Experience, Uses int64
}

// BalanceOf reads a member's balance; a member without accounts holds nothing.
func BalanceOf(ctx context.Context, r db.Reader, memberID int64) (b Balance, err error) {
	var rows []struct {
		Unit    string `db:"unit"`
		Balance int64  `db:"balance"`
		Held    int64  `db:"held"`
	}
	err = r.Select(ctx, &rows, `SELECT unit, balance, held FROM ledger_accounts WHERE member_id = ?`, memberID)
	for _, a := range rows {
		switch Unit(a.Unit) {
		case Principal:
			b.Principal, b.Held = a.Balance, b.Held+a.Held
		case Bonus:
			b.Bonus, b.Held = a.Balance, b.Held+a.Held
		case Points:
			b.Points = a.Balance
		case PointsDebt:
			b.PointsDebt = a.Balance
		case Experience:
			b.Experience = a.Balance
		case Uses:
			b.Uses = a.Balance
		}
	}
	return b, err
}

const auditBatch = 2000

// Audit recomputes every account, lot and posting and reports each difference in one sentence; progress gets the number of
// accounts and postings looked at. It changes nothing.
func Audit(ctx context.Context, d *db.DB, report func(problem string), progress func(done int)) error {
	seen := 0
	if err := auditAccounts(ctx, d, report, func(n int) { seen += n; progress(seen) }); err != nil {
		return err
	}
	if err := auditPostings(ctx, d, report, func(n int) { seen += n; progress(seen) }); err != nil {
		return err
	}
	if err := auditLots(ctx, d, report); err != nil {
		return err
	}
	if err := auditMonths(ctx, d, report); err != nil {
		return err
	}
	if err := auditMerged(ctx, d, report); err != nil {
		return err
	}
	return auditHolds(ctx, d, report)
}

type auditAccount struct {
	ID       int64  `db:"id"`
	MemberID int64  `db:"member_id"`
	Unit     string `db:"unit"`
	Balance  int64  `db:"balance"`
	Held     int64  `db:"held"`
	Seq      int64  `db:"seq"`
}

func (a auditAccount) String() string {
	return fmt.Sprintf("ledger_accounts %d (member %d, %s)", a.ID, a.MemberID, a.Unit)
}

func auditAccounts(ctx context.Context, d *db.DB, report func(string), step func(int)) error {
	for after := int64(0); ; {
		var accounts []auditAccount
		if err := d.Select(ctx, &accounts, `SELECT id, member_id, unit, balance, held, seq FROM ledger_accounts WHERE id > ? ORDER BY id LIMIT ?`, after, auditBatch/10); err != nil {
			return err
		}
		if len(accounts) == 0 {
			return nil
		}
		if err := auditChains(ctx, d, accounts, report); err != nil {
			return err
		}
		after = accounts[len(accounts)-1].ID
		step(len(accounts))
	}
}

// auditChains walks the entries of some accounts, all of them in one read where they are few: each must carry the balance after it, and the last one
// the account's.
func auditChains(ctx context.Context, d *db.DB, accounts []auditAccount, report func(string)) error {
	type chain struct{ sum, seq int64 }
	chains := make([]chain, len(accounts))
	ids := make([]int64, len(accounts)) // ascending, as they were read
	for i, a := range accounts {
		ids[i] = a.ID
	}
	for at, more := 0, true; more; {
		query, args, err := db.In(`SELECT id, posting_id, account, account_id, member_id, unit, amount, balance_after, seq, created_at FROM ledger_entries
			WHERE account_id IN (?) AND (account_id > ? OR seq > ?) ORDER BY account_id, seq, id LIMIT ?`, ids[at:], ids[at], chains[at].seq, auditBatch)
		if err != nil {
			return err
		}
		var rows []entryRow
		if err := d.Select(ctx, &rows, query, args...); err != nil {
			return err
		}
		for _, e := range rows {
			for ids[at] != e.AccountID {
				at++
			}
			a, c := accounts[at], &chains[at]
			c.sum += e.Amount
			if e.Seq != c.seq+1 {
				report(fmt.Sprintf("%s: entry %d has sequence %d, expected %d", a, e.ID, e.Seq, c.seq+1))
			}
			if e.BalanceAfter != c.sum {
				report(fmt.Sprintf("%s: entry %d says balance after %d, recomputed %d", a, e.ID, e.BalanceAfter, c.sum))
			}
			if e.MemberID != a.MemberID || e.Unit != a.Unit {
				report(fmt.Sprintf("%s: entry %d belongs to member %d, %s", a, e.ID, e.MemberID, e.Unit))
			}
			c.seq = e.Seq
		}
		more = len(rows) == auditBatch
	}
	held, err := auditHeldLots(ctx, d, ids)
	if err != nil {
		return err
	}
	for i, a := range accounts {
		c, lots := chains[i], held[a.ID]
		if a.Held < 0 || a.Held > a.Balance {
			report(fmt.Sprintf("%s: held %d is outside 0..balance %d", a, a.Held, a.Balance))
		}
		if c.sum != a.Balance {
			report(fmt.Sprintf("%s: balance is %d, its entries sum to %d", a, a.Balance, c.sum))
		}
		if c.seq != a.Seq {
			report(fmt.Sprintf("%s: sequence is %d, last entry has %d", a, a.Seq, c.seq))
		}
		if lots.Remaining != a.Balance {
			report(fmt.Sprintf("%s: balance is %d, its lots hold %d", a, a.Balance, lots.Remaining))
		}
		if lots.Wrong > 0 {
			report(fmt.Sprintf("%s: %d lots hold less than nothing, more than they began with, or belong to somebody else", a, lots.Wrong))
		}
	}
	return nil
}

// heldLots is what the lots of an account hold, and how many of them cannot be.
type heldLots struct {
	Account   int64 `db:"account_id"`
	Remaining int64 `db:"remaining"`
	Wrong     int64 `db:"wrong"`
}

func auditHeldLots(ctx context.Context, d *db.DB, accounts []int64) (map[int64]heldLots, error) {
	var rows []heldLots
	if err := db.SelectIn(ctx, d, &rows, `SELECT l.account_id, COALESCE(SUM(l.remaining), 0) AS remaining,
		COALESCE(SUM(CASE WHEN l.remaining < 0 OR l.remaining > l.amount OR l.member_id <> a.member_id THEN 1 ELSE 0 END), 0) AS wrong
		FROM ledger_lots l JOIN ledger_accounts a ON a.id = l.account_id WHERE l.account_id IN (?) GROUP BY l.account_id`, accounts); err != nil {
		return nil, err
	}
	out := make(map[int64]heldLots, len(rows))
	for _, r := range rows {
		out[r.Account] = r
	}
	return out, nil
}

// auditPostings checks that every posting balances and that a reversal mirrors its original. Reading in ranges of ids keeps the memory flat.
func auditPostings(ctx context.Context, d *db.DB, report func(string), step func(int)) error {
	for after := int64(0); ; {
		var ids []int64
		if err := d.Select(ctx, &ids, `SELECT id FROM ledger_postings WHERE id > ? ORDER BY id LIMIT ?`, after, auditBatch); err != nil {
			return err
		}
		if len(ids) == 0 {
			break
		}
		last := ids[len(ids)-1]
		var bad []struct {
			ID  int64 `db:"id"`
			Sum int64 `db:"total"`
			Pts int64 `db:"points"`
			XP  int64 `db:"experience"`
			Use int64 `db:"uses"`
			N   int64 `db:"n"`
		}
		if err := d.Select(ctx, &bad, `SELECT id, total, points, experience, uses, n FROM (SELECT p.id, COALESCE(SUM(e.amount), 0) AS total,
			COALESCE(SUM(CASE WHEN e.unit IN ('points', 'points_debt', 'shop_points') THEN e.amount ELSE 0 END), 0) AS points,
			COALESCE(SUM(CASE WHEN e.unit IN ('experience', 'shop_experience') THEN e.amount ELSE 0 END), 0) AS experience,
			COALESCE(SUM(CASE WHEN e.unit IN ('uses', 'shop_uses') THEN e.amount ELSE 0 END), 0) AS uses, COUNT(e.id) AS n FROM ledger_postings p
			LEFT JOIN ledger_entries e ON e.posting_id = p.id WHERE p.id > ? AND p.id <= ? GROUP BY p.id) sums
			WHERE total <> 0 OR points <> 0 OR experience <> 0 OR uses <> 0 OR n < 2 ORDER BY id`, after, last); err != nil {
			return err
		}
		for _, b := range bad {
			report(fmt.Sprintf("ledger_postings %d: its %d entries sum to %d (points %d, experience %d, uses %d), expected at least two that sum to 0 in each", b.ID, b.N, b.Sum, b.Pts, b.XP, b.Use))
		}
		var odd []int64
		if err := d.Select(ctx, &odd, `SELECT p.id FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id OR e.posting_id = p.reverses_id
			WHERE p.reverses_id IS NOT NULL AND p.id > ? AND p.id <= ? GROUP BY p.id, e.account, e.unit HAVING SUM(e.amount) <> 0 ORDER BY p.id`, after, last); err != nil {
			return err
		}
		for _, id := range odd {
			report(fmt.Sprintf("ledger_postings %d: it does not mirror the posting that it reverses", id))
		}
		// A posting has one member at most, so that account and unit name its accounts.
		var others []int64
		if err := d.Select(ctx, &others, `SELECT p.id FROM ledger_postings p JOIN ledger_postings o ON o.id = p.reverses_id WHERE p.id > ? AND p.id <= ? AND p.member_id <> o.member_id
			AND NOT EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.member_id = o.member_id AND a.merged_into <> 0) ORDER BY p.id`, after, last); err != nil {
			return err
		}
		for _, id := range others {
			report(fmt.Sprintf("ledger_postings %d: it reverses the posting of another member, who was not merged", id))
		}
		step(len(ids))
		after = last
	}
	var orphans []int64
	if err := d.Select(ctx, &orphans, `SELECT e.id FROM ledger_entries e LEFT JOIN ledger_postings p ON p.id = e.posting_id WHERE p.id IS NULL ORDER BY e.id LIMIT 100`); err != nil {
		return err
	}
	for _, id := range orphans {
		report(fmt.Sprintf("ledger_entries %d: its posting is missing", id))
	}
	return nil
}

func auditLots(ctx context.Context, d *db.DB, report func(string)) error {
	var bad []struct {
		ID        int64 `db:"id"`
		Remaining int64 `db:"remaining"`
		Moved     int64 `db:"moved"`
	}
	err := d.Select(ctx, &bad, `SELECT l.id, l.remaining, COALESCE(SUM(m.amount), 0) AS moved FROM ledger_lots l
		LEFT JOIN ledger_lot_moves m ON m.lot_id = l.id GROUP BY l.id, l.remaining HAVING l.remaining <> COALESCE(SUM(m.amount), 0) ORDER BY l.id LIMIT 1000`)
	for _, b := range bad {
		report(fmt.Sprintf("ledger_lots %d: %d remain, its moves sum to %d", b.ID, b.Remaining, b.Moved))
	}
	return err
}

func auditHolds(ctx context.Context, d *db.DB, report func(string)) error {
	var bad []struct {
		ID   int64 `db:"id"`
		Held int64 `db:"held"`
		Sum  int64 `db:"promised"`
	}
	err := d.Select(ctx, &bad, `SELECT a.id, a.held, COALESCE(SUM(CASE a.unit WHEN 'principal' THEN h.principal WHEN 'bonus' THEN h.bonus ELSE 0 END), 0) AS promised
		FROM ledger_accounts a LEFT JOIN ledger_holds h ON h.member_id = a.member_id AND h.state = 'held'
		GROUP BY a.id, a.held HAVING a.held <> COALESCE(SUM(CASE a.unit WHEN 'principal' THEN h.principal WHEN 'bonus' THEN h.bonus ELSE 0 END), 0) ORDER BY a.id LIMIT 1000`)
	for _, b := range bad {
		report(fmt.Sprintf("ledger_accounts %d: %d is held, its holds promise %d", b.ID, b.Held, b.Sum))
	}
	return err
}
