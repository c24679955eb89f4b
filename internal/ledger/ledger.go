// Package ledger is the double-entry journal of everything that a member holds: principal, bonus, points, experience, pass uses.
//
// Model: a Posting is one business event; its Entries sum to zero in each domain (money, points, experience, uses). A member's account exists per unit and carries balance,
// held part and a sequence; what stands in it is split into Lots, each with its origin and expiry. Shop accounts (cash,
// WeChat, revenue, bonus granted …) have entries only: no row is shared between customers, so a hot store costs nothing.
// Owns: ledger_accounts, ledger_postings, ledger_entries, ledger_lots, ledger_lot_moves, ledger_holds; ledger_months and ledger_folds, sums of entries by month.
// Invariants: append-only, a correction is a posting that points at the old one, at most once; balance = Σ entries = Σ lots'
// remainders; 0 ≤ held ≤ balance; each entry carries the balance after it, computed under the lock (N04); expired lots
// are never consumed (N10); oldest expiry first, and consumed equals redeemed (N12); a member who was merged into another holds nothing, and
// whoever asks for their accounts gets the other's.
package ledger

import (
	"slices"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// Unit is what an account counts.
type Unit string

// The units of members. Principal and Bonus are fen; they are kept apart for ever (N04).
const (
	Principal  Unit = "principal"
	Bonus      Unit = "bonus"
	Points     Unit = "points"
	PointsDebt Unit = "points_debt" // points that were taken back when they were spent already (N11)
	Experience Unit = "experience"  // what tiers may grow by; never spent
	Uses       Unit = "uses"        // single uses of passes and of counted rights; each line is a lot
)

// The contra side of each domain.
const (
	Shop     Unit = "shop" // fen
	ShopPts  Unit = "shop_points"
	ShopXP   Unit = "shop_experience"
	ShopUses Unit = "shop_uses"
)

// memberUnits are the units that a member's lots are counted in.
var memberUnits = []Unit{Principal, Bonus, Points, PointsDebt, Experience, Uses}

// Where lots of uses come from.
const (
	LotPassLine = "pass_line" // a line of a pass: its id
	LotRight    = "right"     // a counted right of a tier or membership: the id of its grant
)

// The shop accounts.
const (
	Cash         = "cash"
	Card         = "card"
	Alipay       = "alipay"
	WeChat       = "wechat"
	Revenue      = "revenue"
	BonusGranted = "bonus_granted"
	Deposits     = "deposit"     // paid for bookings, and owed until it is used, given back or forfeited
	Passes       = "passes"      // paid for passes, and owed until it is used, expires or is given back
	Memberships  = "memberships" // paid for memberships, and owed for the months that are still to come
	PointsPaid   = "points_paid" // the part of bills that points paid
	Merging      = "merge"       // between two members that are merged: in every domain it sums to zero
)

// The kinds of posting.
const (
	KindTopup    = "topup"
	KindConsume  = "consume"
	KindReversal = "reversal"
	KindRefund   = "refund"
	KindAdjust   = "adjust"

	KindDeposit       = "deposit"
	KindDepositRefund = "deposit_refund"
	KindForfeit       = "forfeit"

	KindSale       = "sale" // one purchase of something that is not work
	KindSaleRefund = "sale_refund"

	KindBenefit          = "benefit" // uses and points that an order takes
	KindPassSale         = "pass_sale"
	KindPassUse          = "pass_use"
	KindPassGift         = "pass_gift"
	KindPassExpire       = "pass_expire"
	KindPassRefund       = "pass_refund"
	KindRightGrant       = "right_grant"
	KindRightUse         = "right_use"
	KindRightExpire      = "right_expire"
	KindMembership       = "membership"
	KindMembershipEarned = "membership_earned" // a month of a membership is over

	KindPointsEarn     = "points_earn"
	KindPointsSpend    = "points_spend"
	KindPointsReturn   = "points_return"
	KindPointsExpire   = "points_expire"
	KindPointsClawback = "points_clawback"
	KindPointsAdjust   = "points_adjust"
	KindPointsGift     = "points_gift"

	KindExperience         = "experience"
	KindExperienceClawback = "experience_clawback"

	KindMerge = "merge" // what a member held goes to the one that they were merged into
)

// Faults of this package.
var (
	ErrInsufficient = fault.Define(fault.Conflict, "wallet.insufficient_balance", "余额不足，请充值或改用其他方式补足")
	ErrReversed     = fault.Define(fault.Conflict, "ledger.already_reversed", "这笔已经撤销过了，请刷新查看")
	ErrUnbalanced   = fault.Define(fault.Internal, "ledger.unbalanced", "账目不平，操作没有生效，请联系管理员")
	ErrHold         = fault.Define(fault.Conflict, "ledger.hold_gone", "预留的余额已释放，请重新结算")
	ErrMergeHeld    = fault.Define(fault.Conflict, "ledger.merge_held", "有余额正被一笔未完成的结算占用，请先完成或取消那一单，再合并")
	ErrMerged       = fault.Define(fault.Conflict, "ledger.merged", "其中一位会员的账户刚刚并入了另一位会员，请刷新后再看")
)

// Account is a member's account as read under its lock.
type Account struct {
	ID      int64
	Unit    Unit
	Balance int64
	Held    int64
	Seq     int64
}

// Lot is a part of an account with its own origin and expiry.
type Lot struct {
	ID        int64
	AccountID int64
	Unit      Unit
	RefKind   string
	RefID     int64
	Amount    int64
	Remaining int64
	ExpiresAt int64 // unix ms; 0 never
	CreatedAt int64
}

// Expired says whether the lot may no longer be used at instant now.
func (l Lot) Expired(now time.Time) bool { return l.ExpiresAt != 0 && l.ExpiresAt <= now.UnixMilli() }

// Book is a member's accounts and open lots, locked for the running transaction.
type Book struct {
	MemberID int64
	now      time.Time
	accounts map[Unit]*Account
	lots     []Lot // open, in the order of consumption
	gone     int64 // the member that this one was merged into; 0 for none
}

// Balance is what the account of the unit holds, held part and expired lots included.
func (b *Book) Balance(u Unit) int64 {
	if a := b.accounts[u]; a != nil {
		return a.Balance
	}
	return 0
}

// Held is the part of the account that is promised to something else.
func (b *Book) Held(u Unit) int64 {
	if a := b.accounts[u]; a != nil {
		return a.Held
	}
	return 0
}

// Available is what may be consumed now: neither held nor expired.
func (b *Book) Available(u Unit) int64 {
	var usable int64
	for _, l := range b.lots {
		if l.Unit == u && !l.Expired(b.now) {
			usable += l.Remaining
		}
	}
	return max(usable-b.Held(u), 0)
}

// Lots are the open lots of the units in the order of consumption: oldest expiry first, then oldest.
func (b *Book) Lots(units ...Unit) []Lot {
	var out []Lot
	for _, l := range b.lots {
		if slices.Contains(units, l.Unit) {
			out = append(out, l)
		}
	}
	return out
}

// clone is a copy that shares nothing with b.
func (b *Book) clone() Book {
	c := *b
	c.lots, c.accounts = slices.Clone(b.lots), make(map[Unit]*Account, len(b.accounts))
	for u, a := range b.accounts {
		copied := *a
		c.accounts[u] = &copied
	}
	return c
}

func sortLots(lots []Lot) {
	slices.SortFunc(lots, func(x, y Lot) int {
		switch {
		case x.ExpiresAt == y.ExpiresAt:
			return int(min(max(x.ID-y.ID, -1), 1))
		case x.ExpiresAt == 0:
			return 1
		case y.ExpiresAt == 0:
			return -1
		}
		return int(min(max(x.ExpiresAt-y.ExpiresAt, -1), 1))
	})
}

// Take is how much to consume from a lot.
type Take struct {
	LotID  int64
	Unit   Unit
	Amount int64
}

// TakeOldest chooses lots for amount of one unit: oldest expiry first. Fault: ErrInsufficient.
func (b *Book) TakeOldest(u Unit, amount int64) ([]Take, error) {
	if amount > b.Available(u) {
		return nil, ErrInsufficient
	}
	var out []Take
	for _, l := range b.lots {
		if amount == 0 {
			break
		}
		if l.Unit != u || l.Expired(b.now) || l.Remaining == 0 {
			continue
		}
		n := min(amount, l.Remaining)
		out = append(out, Take{l.ID, u, n})
		amount -= n
	}
	return out, nil
}

// Lot finds an open lot; false when it has nothing left or is somebody else's.
func (b *Book) Lot(id int64) (Lot, bool) {
	i := slices.IndexFunc(b.lots, func(l Lot) bool { return l.ID == id })
	if i < 0 || b.lots[i].Remaining == 0 {
		return Lot{}, false
	}
	return b.lots[i], true
}

// TakeLot takes n from one lot. Fault: ErrInsufficient when it holds less or has expired (N10).
func (b *Book) TakeLot(id, n int64) (Take, error) {
	l, ok := b.Lot(id)
	if !ok || n <= 0 || l.Remaining < n || l.Expired(b.now) {
		return Take{}, ErrInsufficient
	}
	return Take{l.ID, l.Unit, n}, nil
}

// Leg is one side of a posting. Exactly one of Takes, Lot, Lots or Account decides what it is: a debit of a member's lots, a new lot in a member's
// account, several of them, or an entry on a shop account.
type Leg struct {
	Account string // a shop account's name; "" for the member's account of Unit
	Unit    Unit
	Amount  int64
	Takes   []Take // with a negative Amount
	Lot     *NewLot
	Lots    []NewLot // each with its Amount
}

// NewLot is the origin and expiry of what a positive leg brings.
type NewLot struct {
	RefKind   string
	RefID     int64
	ExpiresAt int64
	Amount    int64 // among several lots of one leg; alone it is the leg's
	unit      Unit  // of what a reversal gives back
}

// ShopLeg is a leg on a shop account, in fen.
func ShopLeg(account string, amount money.Fen) Leg {
	return Leg{Account: account, Unit: Shop, Amount: int64(amount)}
}

// PointsLeg is the contra leg of points that members get (negative) or lose (positive).
func PointsLeg(amount int64) Leg { return Leg{Account: string(Points), Unit: ShopPts, Amount: amount} }

// UsesLeg is the contra leg of uses that members get (negative) or lose (positive).
func UsesLeg(amount int64) Leg { return Leg{Account: string(Uses), Unit: ShopUses, Amount: amount} }

// ExperienceLeg is the contra leg of experience that members get (negative) or lose (positive).
func ExperienceLeg(amount int64) Leg {
	return Leg{Account: string(Experience), Unit: ShopXP, Amount: amount}
}

// Debits are the member legs that consume the takes, one per unit.
func Debits(takes []Take) []Leg {
	var legs []Leg
	for _, u := range memberUnits {
		var leg Leg
		for _, t := range takes {
			if t.Unit == u && t.Amount > 0 {
				leg.Takes = append(leg.Takes, t)
				leg.Amount -= t.Amount
			}
		}
		if leg.Amount != 0 {
			leg.Unit = u
			legs = append(legs, leg)
		}
	}
	return legs
}

// SumOf is the sum of the takes of a unit.
func SumOf(takes []Take, u Unit) money.Fen {
	var n int64
	for _, t := range takes {
		if t.Unit == u {
			n += t.Amount
		}
	}
	return money.Fen(n)
}

// Post describes a posting.
type Post struct {
	Kind    string
	StoreID int64
	BizDay  string
	RefKind string
	RefID   int64
	Title   string // shown to the member
	Memo    string
}

// domain groups units that balance against each other.
func domain(u Unit) string {
	switch u {
	case Points, PointsDebt, ShopPts:
		return "points"
	case Experience, ShopXP:
		return "experience"
	case Uses, ShopUses:
		return "uses"
	}
	return "fen"
}

func balanced(legs []Leg) bool {
	sum := map[string]int64{}
	for _, l := range legs {
		sum[domain(l.Unit)] += l.Amount
	}
	for _, v := range sum {
		if v != 0 {
			return false
		}
	}
	return true
}
