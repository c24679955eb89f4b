package checkout

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/tier"
)

// GroupOffer is a family or a company that could pay.
type GroupOffer = group.Offer

// Assets are what members have beside stored value. One that is absent is not used.
type Assets struct {
	Passes  *pass.Service
	Coupons *coupon.Service
	Points  *points.Service
	Groups  *group.Service
}

// Bring hands over what members have, before the first request.
func (s *Service) Bring(a Assets) { s.assets = a }

// aheadTx reads, with the next db.Tx.Collect, what settlements may change, and which of the members in any have something that may lower a bill.
func (a Assets) aheadTx(ctx context.Context, tx *db.Tx, members, any []int64) error {
	if a.Passes != nil {
		if err := a.Passes.AheadTx(tx, any); err != nil {
			return err
		}
	}
	if a.Coupons != nil {
		if err := a.Coupons.AheadTx(tx, any); err != nil {
			return err
		}
	}
	if a.Points == nil {
		return nil
	}
	return a.Points.AheadTx(ctx, tx, members)
}

// holdings reads what the member has that may lower the bill.
func (s *Service) holdings(ctx context.Context, r db.Reader, f frame, at time.Time) (h holdings, err error) {
	if f.MemberID == 0 {
		return h, nil
	}
	if h.covers, err = s.tiers.Rights(ctx, r, f.MemberID, at); err != nil {
		return h, err
	}
	if s.assets.Passes != nil {
		more, err := s.assets.Passes.Covers(ctx, r, pass.Ask{MemberID: f.MemberID, StoreID: f.StoreID, ClassID: f.VehicleClassID, Plate: f.Plate, At: at})
		if err != nil {
			return h, err
		}
		h.covers = append(h.covers, more...)
	}
	if s.assets.Coupons != nil {
		h.coupons, err = s.assets.Coupons.Usable(ctx, r, coupon.Ask{MemberID: f.MemberID, StoreID: f.StoreID, ClassID: f.VehicleClassID, At: at, BizDay: f.store.BizDay(at)})
		if err != nil {
			return h, err
		}
	}
	err = s.namedToo(ctx, r, f, at, &h)
	return h, err
}

// namedToo adds what the request names and the member cannot use any more, or never could, so that the fault on its field says why.
func (s *Service) namedToo(ctx context.Context, r db.Reader, f frame, at time.Time, h *holdings) error {
	if !f.names() {
		return nil
	}
	var lines, coupons []int64
	for _, u := range f.Benefits.Covers {
		if u.Kind == pricing.CoverPass && !slices.Contains(lines, u.ID) && !slices.ContainsFunc(h.covers, func(c pricing.Cover) bool { return c.Kind == u.Kind && c.ID == u.ID }) {
			lines = append(lines, u.ID)
		}
	}
	for _, id := range f.Benefits.CouponIDs {
		if !slices.Contains(coupons, id) && !slices.ContainsFunc(h.coupons, func(c pricing.Coupon) bool { return c.ID == id }) {
			coupons = append(coupons, id)
		}
	}
	if len(lines) > 0 && s.assets.Passes != nil {
		more, err := s.assets.Passes.WhyNot(ctx, r, pass.Ask{MemberID: f.MemberID, StoreID: f.StoreID, ClassID: f.VehicleClassID, Plate: f.Plate, At: at}, lines)
		if err != nil {
			return err
		}
		h.covers = append(h.covers, more...)
	}
	if len(coupons) == 0 || s.assets.Coupons == nil {
		return nil
	}
	more, err := s.assets.Coupons.WhyNot(ctx, r, f.MemberID, coupons)
	h.coupons = append(h.coupons, more...)
	return err
}

// holdingsTx is holdings under the member's lock, so that two tills never count on the same use. Together with others it reads nothing: errAlone when the
// member has a pass or a coupon, or a right that pays one of the items.
func (s *Service) holdingsTx(ctx context.Context, tx *db.Tx, f frame, alone bool, st member.Standing) (h holdings, err error) {
	if !f.wantsAny() {
		return h, nil
	}
	if !alone && (f.names() || (s.assets.Passes != nil && s.assets.Passes.MayHave(tx, f.MemberID)) || (s.assets.Coupons != nil && s.assets.Coupons.MayHave(tx, f.MemberID))) {
		return h, errAlone
	}
	if h, err = s.holdings(ctx, tx, f, tx.Now); err != nil {
		return h, err
	}
	if !alone && h.pays(Items(f.items, nil)) {
		return h, errAlone
	}
	if err := st.Usable(); err != nil {
		h.block(fault.As(err).Message)
	}
	return h, nil
}

// pointsFor reads how far the member's points may pay.
func (s *Service) pointsFor(ctx context.Context, r db.Reader, f frame, h *holdings) (err error) {
	if f.MemberID != 0 && s.assets.Points != nil {
		h.points, err = s.assets.Points.Rule(ctx, r, f.MemberID)
	}
	return err
}

// alsoFor reads what a quote shows beside what lowers it: points, what is the matter with the member, passes of a car whose driver is not known.
func (s *Service) alsoFor(ctx context.Context, f frame, h *holdings) (err error) {
	if f.MemberID == 0 {
		if s.assets.Passes != nil {
			h.hints, err = s.assets.Passes.OfPlate(ctx, s.db, f.Plate)
		}
		return err
	}
	if err := s.pointsFor(ctx, s.db, f, h); err != nil || (len(h.covers) == 0 && len(h.coupons) == 0) {
		return err
	}
	m, err := s.members.Get(ctx, f.MemberID)
	if err != nil {
		return err
	}
	st := member.Standing{MemberID: m.ID, Status: m.Status}
	card, err := s.members.Card(ctx, f.MemberID)
	if err != nil && !errors.Is(err, member.ErrNoCard) {
		return err
	}
	if st.CardID, st.CardStatus = card.ID, card.Status; err == nil {
		err = st.Usable()
	}
	if err != nil {
		h.block(fault.As(err).Message)
	}
	return nil
}

func (f frame) ask(amount money.Fen, orderID int64) group.Ask {
	a := group.Ask{GroupID: f.GroupID, DriverMemberID: f.MemberID, StoreID: f.StoreID, Plate: f.Plate, AmountFen: amount, OrderID: orderID}
	for _, it := range f.items {
		if it.Kind == pricing.KindGood {
			a.Goods = true
		} else {
			a.ServiceIDs = append(a.ServiceIDs, it.ID)
		}
	}
	return a
}

// groupsFor reads which groups could pay what deposit and points leave of a bill.
func (s *Service) groupsFor(ctx context.Context, f frame, total money.Fen, h *holdings) (err error) {
	if f.MemberID == 0 || s.assets.Groups == nil || total <= 0 {
		return nil
	}
	a := f.ask(total, 0)
	a.At = s.db.Now()
	h.groups, err = s.assets.Groups.Usable(ctx, s.db, a)
	return err
}

// groupTx lets a group agree to pay its tender and says whose wallet it is. Faults: ErrGroup, those of group.AllowTx.
func (s *Service) groupTx(ctx context.Context, tx *db.Tx, f frame, orderID int64, tenders []Tender) (payer int64, err error) {
	n := amountOf(tenders, TenderGroup)
	switch {
	case n == 0:
		return 0, nil
	case f.GroupID == 0 || s.assets.Groups == nil:
		return 0, ErrGroup.On("groupId", "请选择付款账户")
	case amountOf(tenders, TenderBalance) > 0:
		return 0, ErrGroup.Say("家庭或企业账户不能与储值同单使用，请选一种")
	case amountOf(tenders, TenderNative) > 0:
		return 0, ErrGroup.Say("家庭或企业账户不能与微信扫码同单使用，余下部分请用现金或刷卡")
	}
	a := f.ask(n, orderID)
	a.At = tx.Now
	return s.assets.Groups.AllowTx(ctx, tx, a)
}

// pointsUsed is how many points an order pays with.
func (o Order) pointsUsed(perYuan int64) int64 {
	if t := o.tender(TenderPoints); t != nil {
		return pricing.PointsFor(t.AmountFen, perYuan)
	}
	return 0
}

// useTx takes the uses and points that an order needs, in a posting of their own, at once: also when the order waits for its money.
func (s *Service) useTx(ctx context.Context, tx *db.Tx, o *Order, h holdings, p pricing.Result) error {
	s.noteCoupons(o, h, p)
	n := o.pointsUsed(h.points.PerYuan)
	units := benefitUnits(len(p.Covers) > 0, n > 0)
	if len(units) == 0 {
		return nil
	}
	book, err := ledger.LockTx(ctx, tx, o.MemberID, units...)
	if err != nil {
		return err
	}
	var legs []ledger.Leg
	for i, u := range p.Covers {
		more, err := s.coverTx(ctx, tx, o, h, book, u, p.CoverOff[i])
		if err != nil {
			return err
		}
		legs = append(legs, more...)
	}
	if n > 0 {
		more, err := s.assets.Points.SpendTx(ctx, tx, book, n)
		if err != nil {
			return err
		}
		legs = append(legs, more...)
		o.Benefits = append(o.Benefits, Benefit{Kind: BenefitPoints, Title: "积分抵扣", Qty: n, SavedFen: o.tender(TenderPoints).AmountFen, State: benefitUsed})
	}
	if len(legs) == 0 {
		return nil
	}
	o.BenefitPostingID, err = ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindBenefit, StoreID: o.StoreID, BizDay: o.BizDay, RefKind: "order", RefID: o.ID, Title: o.Title, Memo: o.Plate},
		merged(legs)...)
	return err
}

// coverTx uses one cover on one item and returns what it takes.
func (s *Service) coverTx(ctx context.Context, tx *db.Tx, o *Order, h holdings, book *ledger.Book, u pricing.CoverUse, off money.Fen) ([]ledger.Leg, error) {
	c := h.covers[slices.IndexFunc(h.covers, func(c pricing.Cover) bool { return c.Kind == u.Kind && c.ID == u.ID })]
	it := o.Items[u.Item]
	b := Benefit{Kind: c.Kind, RefID: c.ID, Title: c.Title, ItemID: it.ID, Qty: u.Qty, SavedFen: off, State: benefitUsed}
	var legs []ledger.Leg
	var err error
	if c.Kind == pricing.CoverPass {
		use := pass.Use{OrderID: o.ID, MemberID: o.MemberID, StoreID: o.StoreID, LineID: c.ID, Qty: u.Qty, Plate: o.Plate, BizDay: o.BizDay}
		if it.Kind == pricing.KindGood {
			use.GoodID = it.ID
		} else {
			use.ServiceID = it.ID
		}
		var used pass.Used
		if used, err = s.assets.Passes.UseTx(ctx, tx, book, use); err != nil {
			return nil, err
		}
		legs = used.Legs
		o.Recognised += used.RecognisedFen
		if used.Left >= 0 {
			b.LeftAfter = &used.Left
		}
	} else {
		legs, err = s.tiers.UseRightTx(ctx, tx, book, tier.RightUse{OrderID: o.ID, MemberID: o.MemberID, RightID: c.ID, ServiceID: it.ID, Qty: u.Qty, StoreID: o.StoreID, BizDay: o.BizDay, Plate: o.Plate})
		if err != nil {
			return nil, err
		}
		if c.Left >= 0 {
			left := c.Left - u.Qty
			for _, x := range o.Benefits {
				if x.Kind == b.Kind && x.RefID == b.RefID {
					left -= x.Qty
				}
			}
			b.LeftAfter = &left
		}
	}
	o.Benefits = append(o.Benefits, b)
	return legs, nil
}

// merged joins legs of the same account, so that a posting moves each account once.
func merged(legs []ledger.Leg) (out []ledger.Leg) {
	for _, l := range legs {
		i := slices.IndexFunc(out, func(o ledger.Leg) bool {
			return o.Account == l.Account && o.Unit == l.Unit && o.Lot == nil && l.Lot == nil
		})
		if i < 0 {
			out = append(out, l)
			continue
		}
		out[i].Amount += l.Amount
		out[i].Takes = append(slices.Clip(out[i].Takes), l.Takes...)
	}
	return out
}

// noteCoupons writes down which coupons an order uses, or holds while it waits.
func (s *Service) noteCoupons(o *Order, h holdings, p pricing.Result) {
	state := benefitUsed
	if o.tender(TenderNative) != nil {
		state = benefitHeld
	}
	for i, id := range p.Coupons {
		c := h.coupons[slices.IndexFunc(h.coupons, func(c pricing.Coupon) bool { return c.ID == id })]
		o.Benefits = append(o.Benefits, Benefit{Kind: BenefitCoupon, RefID: id, Title: c.Title, Qty: 1, SavedFen: p.CouponOff[i], State: state})
	}
}

// benefitUnits are the units of a benefit posting, in the order in which they are locked.
func benefitUnits(covers, points bool) (units []ledger.Unit) {
	if covers {
		units = append(units, ledger.Uses)
	}
	if points {
		units = append(units, ledger.Points, ledger.PointsDebt)
	}
	return units
}

// holdCouponsTx promises the coupons of a price to the order, and uses them when it does not wait (N15). They are locked before any wallet.
func (s *Service) holdCouponsTx(ctx context.Context, tx *db.Tx, f frame, orderID int64, p pricing.Result, tenders []Tender) error {
	if len(p.Coupons) == 0 {
		return nil
	}
	if err := s.assets.Coupons.HoldTx(ctx, tx, f.MemberID, p.Coupons, "order", orderID, f.store.BizDay(tx.Now)); err != nil || amountOf(tenders, TenderNative) > 0 {
		return err
	}
	return s.assets.Coupons.UseTx(ctx, tx, "order", orderID)
}

// keepCouponsTx uses the coupons that an order held while it waited.
func (s *Service) keepCouponsTx(ctx context.Context, tx *db.Tx, o Order) error {
	if !o.benefit(BenefitCoupon) {
		return nil
	}
	if err := s.assets.Coupons.UseTx(ctx, tx, "order", o.ID); err != nil {
		return err
	}
	return keepBenefits(ctx, tx, o.ID)
}

// giveBackTx gives back what other slices noted for an order that ended unpaid or is reversed: before any wallet is locked.
func (s *Service) giveBackTx(ctx context.Context, tx *db.Tx, o Order) error {
	if o.GroupID != 0 {
		if err := s.assets.Groups.UndoTx(ctx, tx, o.ID); err != nil {
			return err
		}
	}
	if o.benefit(BenefitCoupon) {
		if err := s.assets.Coupons.ReleaseTx(ctx, tx, "order", o.ID); err != nil {
			return err
		}
	}
	if o.benefit(BenefitPass) {
		if err := s.assets.Passes.UndoTx(ctx, tx, o.ID); err != nil {
			return err
		}
	}
	if o.benefit(BenefitRight) {
		return s.tiers.UndoRightsTx(ctx, tx, o.ID)
	}
	return nil
}

// undoTx gives the uses and points of an order back into the lots that they came from (N15).
func (s *Service) undoTx(ctx context.Context, tx *db.Tx, o Order, title, day string) error {
	if o.BenefitPostingID != 0 {
		book, err := ledger.LockTx(ctx, tx, o.MemberID, benefitUnits(o.benefit(BenefitPass) || o.benefit(BenefitRight), o.benefit(BenefitPoints))...)
		if err != nil {
			return err
		}
		if _, err := ledger.ReverseTx(ctx, tx, book, o.BenefitPostingID, ledger.Post{Kind: ledger.KindReversal, StoreID: o.StoreID, BizDay: day, RefKind: "order", RefID: o.ID,
			Title: title, Memo: o.Plate}); err != nil {
			return err
		}
	}
	if len(o.Benefits) == 0 {
		return nil
	}
	return undoBenefits(ctx, tx, o.ID)
}

// earnTx gives the points of a paid order to its member, or to the account that was named.
func (s *Service) earnTx(ctx context.Context, tx *db.Tx, o Order) (int64, error) {
	who := cmp.Or(o.EarnerID, o.MemberID)
	if who == 0 || o.earnsNothing || s.assets.Points == nil {
		return 0, nil
	}
	items := o.earning()
	if len(items) == 0 {
		return 0, nil
	}
	title := o.Title
	if o.EarnerID != 0 {
		title = "朋友消费 " + title
	}
	return s.assets.Points.EarnTx(ctx, tx, points.Earn{MemberID: who, StoreID: o.StoreID, RefKind: "order", RefID: o.ID, BizDay: o.BizDay, Title: title, Items: items})
}

// clawbackTx takes the points of a reversed order back; what is spent already becomes a debt (N11).
func (s *Service) clawbackTx(ctx context.Context, tx *db.Tx, o Order) error {
	if o.PointsEarned == 0 {
		return nil
	}
	return s.assets.Points.ClawbackTx(ctx, tx, "order", o.ID)
}
