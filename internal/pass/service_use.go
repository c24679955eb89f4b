package pass

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
)

// Used is what a use takes. Legs are in the domain of uses; RecognisedFen is what the shop earned by it.
type Used struct {
	Legs          []ledger.Leg
	RecognisedFen money.Fen
	Left          int64 // of the line; -1 when it is not counted
}

type aheadKey struct{}

// AheadTx reads which of several members hold a pass at all, with the next db.Tx.Collect, for Covers and MayHave in the same transaction.
func (s *Service) AheadTx(tx *db.Tx, members []int64) error {
	if len(members) == 0 {
		return nil
	}
	return haveSoon(tx, members, func(have map[int64]bool) { tx.Stash(aheadKey{}, have) })
}

// MayHave is false when AheadTx found that a member holds no pass.
func (s *Service) MayHave(tx *db.Tx, memberID int64) bool {
	have, known := db.Stashed[map[int64]bool](tx, aheadKey{})[memberID]
	return have || !known
}

// Covers lists what the member's passes can pay at a till, those that cannot be used now with the reason.
func (s *Service) Covers(ctx context.Context, r db.Reader, a Ask) ([]pricing.Cover, error) {
	if a.MemberID == 0 {
		return nil, nil
	}
	if tx, ok := r.(*db.Tx); ok {
		if have, known := db.Stashed[map[int64]bool](tx, aheadKey{})[a.MemberID]; known && !have {
			return nil, nil
		}
	}
	list, err := usableOf(ctx, r, a.MemberID, s.shops.BizDay(ctx, a.At, a.StoreID))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	kinds, err := s.catalog.ServiceKinds(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []pricing.Cover
	for _, p := range list {
		why := p.why(a.StoreID, a.Plate, a.At)
		for _, l := range p.Lines {
			c := pricing.Cover{Kind: pricing.CoverPass, ID: l.ID, PassID: p.ID, Title: p.Name, ServiceIDs: l.ServiceIDs, GoodIDs: l.GoodIDs, ExpiresAt: clock.MaybeMillis(p.ExpiresAt), Why: why}
			if len(p.Lines) > 1 {
				c.Title = p.Name + "·" + l.Title
			}
			var empty string
			if c.Left, empty = p.left(l); c.Why == "" {
				c.Why = empty
			}
			if c.InAll = -1; l.Counted {
				c.InAll = l.Left
			}
			if p.Terms.Upgrade && len(l.ServiceIDs) > 0 {
				c.Upgrade, c.UpgradeKinds = true, kindsOf(kinds, l.ServiceIDs)
				if c.BaseFen, err = s.base(ctx, r, a, l.ServiceIDs); err != nil {
					return nil, err
				}
				c.Upgrade = c.BaseFen > 0
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func kindsOf(kinds map[int64]string, ids []int64) (out []string) {
	for _, id := range ids {
		if k := kinds[id]; k != "" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// base is the list price of what is included, for the class of vehicle: the dearest of several, in favour of the member.
func (s *Service) base(ctx context.Context, r db.Reader, a Ask, ids []int64) (most money.Fen, err error) {
	for _, id := range ids {
		items, err := s.catalog.Items(ctx, r, a.StoreID, a.ClassID, []catalog.Ref{{Kind: catalog.KindService, ID: id, Qty: 1}})
		switch {
		case err == nil:
			most = max(most, items[0].UnitFen)
		case fault.As(err).Kind >= fault.Internal:
			return 0, err
		} // any other fault: not sold here, or not for this class, which says nothing about the price
	}
	return most, nil
}

// UseTx uses a line of a pass on an item of an order: everything is checked again under the lock (N09, N10). book holds ledger.Uses of the
// member. Fault: ErrUse with the reason.
func (s *Service) UseTx(ctx context.Context, tx *db.Tx, book *ledger.Book, u Use) (Used, error) {
	id, err := passOfLine(ctx, tx, u.LineID)
	if err != nil {
		return Used{}, ErrUse
	}
	p, err := passByID(ctx, tx, id, u.BizDay, tx.ForUpdate())
	if err != nil {
		return Used{}, err
	}
	i := slices.IndexFunc(p.Lines, func(l Line) bool { return l.ID == u.LineID })
	if i < 0 || p.MemberID != u.MemberID || u.Qty <= 0 {
		return Used{}, ErrUse
	}
	l := &p.Lines[i]
	upgraded, err := s.servedBy(ctx, tx, p, *l, u)
	if err != nil {
		return Used{}, err
	}
	why := p.why(u.StoreID, u.Plate, tx.Now)
	left, empty := p.left(*l)
	if why == "" {
		why = empty
	}
	if why == "" && left >= 0 && u.Qty > left {
		why = fmt.Sprintf("这次最多还能用 %d 次", left)
	}
	if why != "" {
		return Used{}, ErrUse.Say("「%s」%s", p.Name, why)
	}
	out := Used{Left: -1}
	if l.Counted {
		takes, err := takesOf(book, *l, u.Qty)
		if err != nil {
			return Used{}, err
		}
		out.Legs = append(ledger.Debits(takes), ledger.UsesLeg(u.Qty))
	}
	switch {
	case p.ByTime():
		out.RecognisedFen = p.due(tx.Now)
		if l.Counted {
			l.Left -= u.Qty
		}
	default:
		out.RecognisedFen = l.earn(u.Qty)
	}
	if l.Counted {
		out.Left = l.Left
	}
	p.ValueFen -= out.RecognisedFen
	if p.UsedAt.IsZero() {
		p.UsedAt = tx.Now
	}
	if p.usedUp() {
		p.State, p.EndedAt = StateUsed, tx.Now
	}
	if err := saveLine(ctx, tx, *l); err != nil {
		return Used{}, err
	}
	if err := savePass(ctx, tx, p); err != nil {
		return Used{}, err
	}
	return out, tx.Insert(ctx, "pass_uses", useRow{ID: tx.NewID(), PassID: p.ID, LineID: l.ID, OrderID: u.OrderID, MemberID: u.MemberID, StoreID: u.StoreID, ServiceID: u.ServiceID,
		GoodID: u.GoodID, Qty: u.Qty, Plate: u.Plate, BizDay: u.BizDay, Upgraded: upgraded, ValueFen: int64(out.RecognisedFen), CreatedAt: tx.Millis()})
}

// servedBy says whether a line may serve a use, and whether as an upgrade (D09). Fault: ErrUse.
func (s *Service) servedBy(ctx context.Context, tx *db.Tx, p Pass, l Line, u Use) (upgraded bool, err error) {
	if l.covers(u.ServiceID, u.GoodID) {
		return false, nil
	}
	if p.Terms.Upgrade && u.ServiceID != 0 {
		kinds, err := s.catalog.ServiceKinds(ctx, tx)
		if err != nil {
			return false, err
		}
		if slices.Contains(kindsOf(kinds, l.ServiceIDs), kinds[u.ServiceID]) {
			return true, nil
		}
	}
	return false, ErrUse.Say("「%s」不包含这个项目", p.Name)
}

// takesOf chooses n uses from the lots of a line. What an earlier use of the same transaction took is not posted yet: the lots still hold
// more than the line says, and that much is passed over.
func takesOf(b *ledger.Book, l Line, n int64) ([]ledger.Take, error) {
	var held int64
	lots := slices.DeleteFunc(b.Lots(ledger.Uses), func(x ledger.Lot) bool { return x.RefKind != ledger.LotPassLine || x.RefID != l.ID })
	for _, x := range lots {
		held += x.Remaining
	}
	skip := held - l.Left
	var out []ledger.Take
	for _, x := range lots {
		passed := min(skip, x.Remaining)
		skip -= passed
		if take := min(n, x.Remaining-passed); take > 0 {
			out = append(out, ledger.Take{LotID: x.ID, Unit: ledger.Uses, Amount: take})
			n -= take
		}
	}
	if n > 0 || skip < 0 {
		return nil, ledger.ErrInsufficient.With(fmt.Errorf("pass: line %d: its lots hold %d", l.ID, held))
	}
	return out, nil
}

// UndoTx takes the uses of an order back; the uses themselves come back by ledger.ReverseTx, and so does what was earned. A pass that has
// ended meanwhile opens again for what came back, except one that counts time: that time is gone. Fault: ErrGifted.
func (s *Service) UndoTx(ctx context.Context, tx *db.Tx, orderID int64) error {
	rows, err := usesOfOrder(ctx, tx, orderID)
	if err != nil {
		return err
	}
	for _, u := range rows {
		if err := s.undoTx(ctx, tx, u); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) undoTx(ctx context.Context, tx *db.Tx, u useRow) error {
	p, err := passByID(ctx, tx, u.PassID, "", tx.ForUpdate())
	if err != nil {
		return err
	}
	holder, err := s.members.Holder(ctx, tx, u.MemberID) // who used it may have been merged into another member
	if err != nil {
		return err
	}
	if p.MemberID != u.MemberID && p.MemberID != holder {
		return ErrGifted
	}
	p.MemberID = holder
	if err := undoUse(ctx, tx, u.ID); err != nil {
		return err
	}
	i := slices.IndexFunc(p.Lines, func(l Line) bool { return l.ID == u.LineID })
	l := &p.Lines[i]
	if l.Counted {
		l.Left += u.Qty
		if !p.ByTime() {
			l.ValueFen += money.Fen(u.ValueFen)
		}
		if err := saveLine(ctx, tx, *l); err != nil {
			return err
		}
	}
	if p.State == StateRefunded && p.ByTime() {
		return s.keepTx(ctx, tx, p, money.Fen(u.ValueFen))
	}
	p.ValueFen += money.Fen(u.ValueFen)
	switch p.State {
	case StateExpired: // what its end took stays with the posting that took it
		p.State, p.EndedAt = StateActive, time.Time{}
	case StateUsed, StateRefunded:
		p.State, p.EndedAt, p.EndPosting = StateActive, time.Time{}, 0
	}
	return savePass(ctx, tx, p)
}

// keepTx books what a reversal gave back to a pass that was refunded: the time that earned it has passed all the same.
func (s *Service) keepTx(ctx context.Context, tx *db.Tx, p Pass, value money.Fen) error {
	if value == 0 {
		return nil
	}
	_, err := ledger.PostTx(ctx, tx, &ledger.Book{MemberID: p.MemberID}, ledger.Post{Kind: ledger.KindPassExpire, StoreID: p.StoreID, BizDay: s.shops.BizDay(ctx, tx.Now, p.StoreID),
		RefKind: "pass", RefID: p.ID, Title: p.Name + " 期满", Memo: "已退卡"}, ledger.ShopLeg(ledger.Passes, -value), ledger.ShopLeg(ledger.Revenue, value))
	return err
}

// OfPlate hints at passes that a plate is bound to, for a till that does not know the member yet.
func (s *Service) OfPlate(ctx context.Context, r db.Reader, plate string) ([]string, error) {
	if plate == "" {
		return nil, nil
	}
	now := s.db.Now()
	list, err := ofPlate(ctx, r, plate, "")
	var out []string
	for _, p := range list {
		if !p.expired(now) && !p.gifting(now) {
			out = append(out, fmt.Sprintf("这辆车绑定了「%s」，请顾客出示会员码使用", p.Name))
		}
	}
	return out, err
}
