package tier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
)

// Terms gives the discounts of a member's tier, and what services cost in it for a class of vehicle. Without a member there are none.
func (s *Service) Terms(ctx context.Context, r db.Reader, memberID, classID int64) (pricing.Tier, map[int64]money.Fen, error) {
	if memberID == 0 {
		return pricing.Tier{}, nil, nil
	}
	f, err := s.fullOf(ctx, r, memberID)
	if err != nil {
		return pricing.Tier{}, nil, err
	}
	t, fixed := f.terms(classID)
	return t, fixed, nil
}

// TermsOf is Terms for somebody whose tier is known already.
func (s *Service) TermsOf(ctx context.Context, r db.Reader, tierID, classID int64) (pricing.Tier, map[int64]money.Fen, error) {
	f, err := s.byID(ctx, r, tierID)
	if err != nil {
		return pricing.Tier{}, nil, err
	}
	t, fixed := f.terms(classID)
	return t, fixed, nil
}

func (f Full) terms(classID int64) (pricing.Tier, map[int64]money.Fen) {
	t := pricing.Tier{ID: f.ID, Name: f.Name, BP: map[string]money.BP{}, FinalBP: f.Programme.FinalBP}
	for kind := range kindNames {
		if bp := f.Discount(kind); bp < money.Whole {
			t.BP[kind] = bp
		}
	}
	fixed := map[int64]money.Fen{}
	for _, m := range f.Programme.MemberPrices {
		if _, own := fixed[m.ServiceID]; m.VehicleClassID == classID || (m.VehicleClassID == 0 && !own) {
			fixed[m.ServiceID] = m.PriceFen
		}
	}
	return t, fixed
}

// PointsRate is how many times the usual points a member earns (C10): 10000 is the usual.
func (s *Service) PointsRate(ctx context.Context, r db.Reader, memberID int64) (money.BP, error) {
	f, err := s.fullOf(ctx, r, memberID)
	if bp := f.Programme.PointsBP; bp > 0 {
		return bp, err
	}
	return money.Whole, err
}

// BirthdayGift is what a member's tier gives on the birthday (C12), nil for nothing.
func (s *Service) BirthdayGift(ctx context.Context, r db.Reader, memberID int64) (*Gift, error) {
	f, err := s.fullOf(ctx, r, memberID)
	return f.Programme.Gift, err
}

// owned are the rights of a member with what was granted of them.
type owned struct {
	entitled []entitled
	grants   map[grantKey]grantRow
}

type ownedKey struct{}

func noRights(members []int64) map[int64]owned {
	out := make(map[int64]owned, len(members))
	for _, m := range members {
		out[m] = owned{}
	}
	return out
}

// ownedSoon reads memberships and grants of members with the next db.Tx.Collect, behind their places.
func ownedSoon(tx *db.Tx, members []int64, all []Full) error {
	var running []membershipRow
	if err := runningSoon(tx, members, &running); err != nil {
		return err
	}
	return grantsSoon(tx, members, func(grants map[int64]map[grantKey]grantRow) {
		of := map[int64][]membershipRow{}
		for _, m := range running {
			of[m.MemberID] = append(of[m.MemberID], m)
		}
		at := db.Stashed[map[int64]placeRow](tx, aheadKey{})
		out := make(map[int64]owned, len(members))
		for _, id := range members {
			f, err := pick(all, at[id].TierID)
			if err != nil {
				continue // Rights reads it again and says so
			}
			if list, err := entitlements(f, of[id], tx.Now); err == nil {
				out[id] = owned{list, grants[id]}
			}
		}
		tx.Stash(ownedKey{}, out)
	})
}

func (s *Service) ownedBy(ctx context.Context, r db.Reader, memberID int64, at time.Time) (o owned, err error) {
	p, err := s.placeOf(ctx, r, memberID)
	if err != nil {
		return o, err
	}
	f, err := s.byID(ctx, r, p.TierID)
	if err != nil {
		return o, err
	}
	var running []membershipRow
	if p.RightsUntil > at.UnixMilli() {
		list, err := runningOf(ctx, r, []int64{memberID}, at.UnixMilli())
		if err != nil {
			return o, err
		}
		running = list[memberID]
	}
	if o.entitled, err = entitlements(f, running, at); err != nil || len(o.entitled) == 0 {
		return o, err
	}
	grants, err := grantsOf(ctx, r, []int64{memberID}, at.UnixMilli())
	o.grants = grants[memberID]
	return o, err
}

// Rights lists the free uses that the till may take for a member, those without any left with the reason.
func (s *Service) Rights(ctx context.Context, r db.Reader, memberID int64, at time.Time) (out []pricing.Cover, err error) {
	if memberID == 0 {
		return nil, nil
	}
	var o owned
	known := false
	if tx, ok := r.(*db.Tx); ok {
		o, known = db.Stashed[map[int64]owned](tx, ownedKey{})[memberID]
	}
	if !known {
		if o, err = s.ownedBy(ctx, r, memberID, at); err != nil {
			return nil, err
		}
	}
	for _, e := range o.entitled {
		if e.Kind != FreeUse {
			continue
		}
		c := pricing.Cover{Kind: "right", ID: e.ID, Title: e.From + "·" + e.Title, ServiceIDs: e.ServiceIDs, Left: e.left(o.grants[grantKey{e.ID, e.Key}]), ExpiresAt: e.Until.UnixMilli()}
		if c.Left == 0 {
			c.Why = fmt.Sprintf("%s %d 次已用完", periodName(e.Period), e.Times)
		}
		out = append(out, c)
	}
	return out, nil
}

// RightUse is a free use that an order takes. StoreID, BizDay and Plate say where, for people.
type RightUse struct {
	OrderID   int64
	MemberID  int64
	RightID   int64
	ServiceID int64
	Qty       int64
	StoreID   int64
	BizDay    string
	Plate     string
}

// UseRightTx takes free uses for an order and returns the legs to post. The book holds ledger.Uses. Faults: ErrRight, ErrRightUsed.
func (s *Service) UseRightTx(ctx context.Context, tx *db.Tx, book *ledger.Book, u RightUse) ([]ledger.Leg, error) {
	o, err := s.ownedBy(ctx, tx, u.MemberID, tx.Now)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(o.entitled, func(e entitled) bool {
		return e.ID == u.RightID && e.Kind == FreeUse && slices.Contains(e.ServiceIDs, u.ServiceID)
	})
	if i < 0 {
		return nil, ErrRight
	}
	row := useRow{MemberID: u.MemberID, OrderID: u.OrderID, ServiceID: u.ServiceID, Qty: u.Qty, StoreID: u.StoreID, BizDay: u.BizDay, Plate: u.Plate}
	return s.useTx(ctx, tx, book, o.entitled[i], row)
}

// useTx grants the period's uses where nobody did, takes some and notes it.
func (s *Service) useTx(ctx context.Context, tx *db.Tx, book *ledger.Book, e entitled, u useRow) ([]ledger.Leg, error) {
	if u.Qty < 1 || u.Qty > maxTimes {
		return nil, fault.ErrInvalid.On("qty", "请填写次数")
	}
	g, err := s.grantTx(ctx, tx, book, e, u.MemberID)
	if err != nil {
		return nil, err
	}
	if left := e.left(g); u.Qty > left {
		return nil, ErrRightUsed.Say("「%s」%s %d 次，现在还剩 %d 次", e.Title, periodName(e.Period), e.Times, left)
	}
	takes, err := takeLots(book, g, u.Qty)
	if err != nil {
		return nil, err
	}
	if err := takeUses(ctx, tx, g.ID, u.Qty); err != nil {
		return nil, err
	}
	who := actor.From(ctx)
	u.GrantID, u.RightID, u.Title, u.State, u.CreatedAt = g.ID, e.ID, e.Title, useDone, tx.Millis()
	u.StaffID, u.StaffName = who.ID, db.Clip(who.Name, 64)
	if u.ID == 0 {
		u.ID = tx.NewID()
	}
	if u.BizDay == "" {
		u.BizDay = bizday.Of(tx.Now, bizday.DefaultZone)
	}
	tx.InsertSoon("tier_uses", u)
	return append(ledger.Debits(takes), ledger.UsesLeg(u.Qty)), nil
}

// takeLots chooses lots of a grant for n uses. What was taken earlier in the transaction, and is not posted yet, is left alone.
func takeLots(book *ledger.Book, g grantRow, n int64) (takes []ledger.Take, err error) {
	lots := slices.DeleteFunc(book.Lots(ledger.Uses), func(l ledger.Lot) bool { return l.RefKind != ledger.LotRight || l.RefID != g.ID })
	promised := g.Used - g.Granted
	for _, l := range lots {
		promised += l.Remaining
	}
	for _, l := range lots {
		skip := min(max(promised, 0), l.Remaining)
		promised -= skip
		part := min(n, l.Remaining-skip)
		if part == 0 {
			continue
		}
		t, err := book.TakeLot(l.ID, part)
		if err != nil {
			return nil, err
		}
		takes, n = append(takes, t), n-part
	}
	if n > 0 {
		return nil, ErrRightUsed
	}
	return takes, nil
}

// grantTx puts the uses of a period into the ledger when the first of them is wanted, and what was added to the right since.
func (s *Service) grantTx(ctx context.Context, tx *db.Tx, book *ledger.Book, e entitled, memberID int64) (grantRow, error) {
	g, err := lockGrant(ctx, tx, memberID, e.ID, e.Key)
	if err != nil || (g.ID != 0 && g.Granted >= e.Times) {
		return g, err
	}
	more := e.Times - g.Granted
	fresh := g.ID == 0
	if fresh {
		g = grantRow{ID: tx.NewID(), MemberID: memberID, RightID: e.ID, Period: e.Key, State: grantOpen, ExpiresAt: e.Until.UnixMilli(), CreatedAt: tx.Millis()}
	}
	posting, err := ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindRightGrant, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: ledger.LotRight, RefID: g.ID,
		Title: e.Title, Memo: e.From}, ledger.Leg{Unit: ledger.Uses, Amount: more, Lot: &ledger.NewLot{RefKind: ledger.LotRight, RefID: g.ID, ExpiresAt: g.ExpiresAt}},
		ledger.UsesLeg(-more))
	if err != nil {
		return g, err
	}
	g.Granted += more
	if fresh {
		g.PostingID = posting
		return g, tx.Insert(ctx, "tier_grants", g)
	}
	return g, addGranted(ctx, tx, g.ID, more)
}

// UndoRightsTx gives back the uses that an order took. The lots are given back by reversing what was posted.
func (s *Service) UndoRightsTx(ctx context.Context, tx *db.Tx, orderID int64) error {
	if orderID == 0 {
		return nil
	}
	rows, err := usesOfOrder(ctx, tx, orderID)
	if err != nil {
		return err
	}
	for _, u := range rows {
		if err := undoUse(ctx, tx, u.ID); err != nil {
			return err
		}
		if err := giveUses(ctx, tx, u.GrantID, u.Qty); err != nil {
			return err
		}
	}
	return nil
}

// Errand is the use of a counted right outside the till.
type Errand struct {
	MemberID int64
	RightID  int64
	Qty      int64
	StoreID  int64
	Plate    string
	Note     string
}

// Use notes the use of a counted right. It is a money command. Faults: ErrRight, ErrRightUsed, fault.ErrStore and those of member.Standing.Usable.
func (s *Service) Use(ctx context.Context, in Errand) (int64, error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return 0, fault.ErrStore
	}
	plate := ""
	if in.Plate != "" {
		var complaint string
		if plate, _, complaint = member.ParsePlate(in.Plate); complaint != "" {
			return 0, fault.ErrInvalid.Say("车牌号不正确：%s", complaint).On("plate", complaint)
		}
	}
	day := bizday.Of(s.db.Now(), bizday.DefaultZone)
	if s.Shops != nil {
		st, err := s.Shops.Store(ctx, in.StoreID)
		if err != nil {
			return 0, err
		}
		day = st.BizDay(s.db.Now())
	}
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) {
			u := useRow{ID: tx.NewID(), MemberID: in.MemberID, Qty: in.Qty, StoreID: in.StoreID, BizDay: day, Plate: plate, Note: db.Clip(in.Note, 200)}
			return u.ID, s.errandTx(ctx, tx, u, in.RightID)
		})
		id = got
		return err
	})
	return id, err
}

func (s *Service) errandTx(ctx context.Context, tx *db.Tx, u useRow, rightID int64) error {
	if s.People != nil {
		st, err := s.People.StandingTx(ctx, tx, u.MemberID)
		if err != nil {
			return err
		}
		if err := st.Usable(); err != nil {
			return err
		}
	}
	book, err := ledger.LockTx(ctx, tx, u.MemberID, ledger.Uses)
	if err != nil {
		return err
	}
	o, err := s.ownedBy(ctx, tx, u.MemberID, tx.Now)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(o.entitled, func(e entitled) bool { return e.ID == rightID && e.Kind == Counted })
	if i < 0 {
		return ErrRight.On("rightId", "会员没有这项权益，或它要在收银时使用")
	}
	e := o.entitled[i]
	post := ledger.Post{Kind: ledger.KindRightUse, StoreID: u.StoreID, BizDay: u.BizDay, RefKind: "right_use", RefID: u.ID, Title: "使用权益·" + e.Title, Memo: u.Plate}
	// The grant posts before the use does, and the use names its posting: so the row is written with the posting's number.
	legs, err := s.useTx(ctx, tx, book, e, u)
	if err != nil {
		return err
	}
	posting, err := ledger.PostTx(ctx, tx, book, post, legs...)
	if err != nil {
		return err
	}
	if err := setUsePosting(ctx, tx, u.ID, posting); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "right.use", SubjectKind: "member", SubjectID: u.MemberID, SubjectLabel: e.Title, StoreID: u.StoreID,
		Detail: map[string]any{"qty": u.Qty, "plate": u.Plate, "note": u.Note}})
}

// Undo takes back the use of a counted right. It is a money command. Faults: ErrUseUndone, ErrUseOfOrder, fault.ErrNotFound.
func (s *Service) Undo(ctx context.Context, useID int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) { return useID, s.undoTx(ctx, tx, useID) })
		return err
	})
}

func (s *Service) undoTx(ctx context.Context, tx *db.Tx, useID int64) error {
	seen, err := useByID(ctx, tx, useID, "")
	if err != nil || !actor.From(ctx).InStore(seen.StoreID) {
		return fault.ErrNotFound.With(err)
	}
	if seen.OrderID != 0 {
		return ErrUseOfOrder
	}
	book, err := ledger.LockTx(ctx, tx, seen.MemberID, ledger.Uses)
	if err != nil {
		return err
	}
	u, err := useByID(ctx, tx, useID, tx.ForUpdate())
	if err != nil {
		return err
	}
	if err := undoUse(ctx, tx, u.ID); err != nil {
		return err
	}
	if err := giveUses(ctx, tx, u.GrantID, u.Qty); err != nil {
		return err
	}
	if _, err := ledger.ReverseTx(ctx, tx, book, u.PostingID, ledger.Post{Kind: ledger.KindReversal, StoreID: u.StoreID, BizDay: u.BizDay, RefKind: "right_use", RefID: u.ID,
		Title: "撤销权益使用·" + u.Title}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "right.undo", SubjectKind: "member", SubjectID: u.MemberID, SubjectLabel: u.Title, StoreID: u.StoreID,
		Detail: map[string]any{"qty": u.Qty}})
}

// Expire takes what is left of grants whose period is over out of the ledger (N13).
func (s *Service) Expire(ctx context.Context) error {
	for ctx.Err() == nil {
		rows, err := endedGrants(ctx, s.db, s.db.Now().UnixMilli(), 100)
		if err != nil || len(rows) == 0 {
			return err
		}
		slices.SortFunc(rows, func(a, b grantRow) int { return int(min(max(a.MemberID-b.MemberID, -1), 1)) })
		if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			for _, g := range rows {
				if err := s.expireTx(ctx, tx, g); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Service) expireTx(ctx context.Context, tx *db.Tx, seen grantRow) error {
	book, err := ledger.LockTx(ctx, tx, seen.MemberID, ledger.Uses)
	if err != nil {
		return err
	}
	g, err := grantByID(ctx, tx, seen.ID)
	if err != nil || g.State != grantOpen {
		return err
	}
	var takes []ledger.Take
	var n int64
	for _, l := range book.Lots(ledger.Uses) {
		if l.RefKind == ledger.LotRight && l.RefID == g.ID {
			takes, n = append(takes, ledger.Take{LotID: l.ID, Unit: l.Unit, Amount: l.Remaining}), n+l.Remaining
		}
	}
	if n > 0 {
		if _, err := ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindRightExpire, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: ledger.LotRight, RefID: g.ID,
			Title: "权益到期"}, append(ledger.Debits(takes), ledger.UsesLeg(n))...); err != nil {
			return err
		}
	}
	return endGrant(ctx, tx, g.ID)
}
