package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// Merged is what went from one member to another.
type Merged struct {
	OutID, InID int64 // the two postings; 0 when there was nothing
	Moved       Balance
}

// MergeTx gives everything that a member holds to another: each lot becomes one of the same origin, expiry and remainder, so that what is refunded or
// taken back later finds it. The accounts of the former lead to those of the latter from now on: whoever locks them gets the other's book. Both
// members are locked; two merges at once lock their accounts in the order of members. lost and got are what each of them reads; their kind is set here.
// Faults: ErrMerged, ErrMergeHeld.
func MergeTx(ctx context.Context, tx *db.Tx, from, into int64, lost, got Post) (out Merged, err error) {
	books := map[int64]*Book{}
	for _, m := range []int64{min(from, into), max(from, into)} {
		b, err := LockTx(ctx, tx, m, memberUnits...)
		if err != nil {
			return out, err
		}
		if b.MemberID != m || from == into {
			return out, ErrMerged
		}
		books[m] = b
	}
	b := books[from]
	if b.Held(Principal) > 0 || b.Held(Bonus) > 0 {
		return out, ErrMergeHeld
	}
	var debits, credits []Leg
	for _, u := range memberUnits {
		var takes []Take
		var lots []NewLot
		var sum int64
		for _, l := range b.Lots(u) {
			if l.Remaining > 0 {
				takes = append(takes, Take{l.ID, u, l.Remaining})
				lots = append(lots, NewLot{RefKind: l.RefKind, RefID: l.RefID, ExpiresAt: l.ExpiresAt, Amount: l.Remaining})
				sum += l.Remaining
			}
		}
		if sum != b.Balance(u) {
			return out, ErrUnbalanced.With(fmt.Errorf("ledger: the %s lots of member %d hold %d, the account %d", u, from, sum, b.Balance(u)))
		}
		if sum > 0 {
			debits = append(debits, Leg{Unit: u, Amount: -sum, Takes: takes}, between(u, sum))
			credits = append(credits, Leg{Unit: u, Amount: sum, Lots: lots}, between(u, -sum))
		}
	}
	out.Moved = Balance{Principal: b.Balance(Principal), Bonus: b.Balance(Bonus), Points: b.Balance(Points), PointsDebt: b.Balance(PointsDebt),
		Experience: b.Balance(Experience), Uses: b.Balance(Uses)}
	lost.Kind, got.Kind = KindMerge, KindMerge
	if len(debits) > 0 {
		if out.OutID, err = PostTx(ctx, tx, b, lost, debits...); err != nil {
			return out, err
		}
		if out.InID, err = PostTx(ctx, tx, books[into], got, credits...); err != nil {
			return out, err
		}
	}
	return out, setMerged(ctx, tx, from, into)
}

// between is the leg on the account that lies between two members.
func between(u Unit, amount int64) Leg {
	contra := map[string]Unit{"points": ShopPts, "experience": ShopXP, "uses": ShopUses, "fen": Shop}
	return Leg{Account: Merging, Unit: contra[domain(u)], Amount: amount}
}

// takeOrigin chooses n from the lots of one origin, beside what was chosen before. Fault: ErrInsufficient.
func (b *Book) takeOrigin(u Unit, refKind string, refID, n int64, before []Take) (out []Take, err error) {
	for _, l := range b.lots {
		if l.Unit != u || l.RefKind != refKind || l.RefID != refID || n == 0 {
			continue
		}
		left := l.Remaining
		for _, t := range slices.Concat(before, out) {
			if t.LotID == l.ID {
				left -= t.Amount
			}
		}
		if k := min(left, n); k > 0 {
			out, n = append(out, Take{l.ID, u, k}), n-k
		}
	}
	if n > 0 {
		return nil, ErrInsufficient
	}
	return out, nil
}
