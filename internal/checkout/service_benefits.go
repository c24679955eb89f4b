package checkout

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/pricing"
)

// GroupOffer is a family or a company that could pay.
type GroupOffer = group.Offer

// Assets are what members have beside stored value. One that is absent is not used.
type Assets struct {
	Points *points.Service
	Groups *group.Service
}

// Bring hands over what members have, before the first request.
func (s *Service) Bring(a Assets) { s.assets = a }

// aheadTx reads and locks for several settlements what each of them may change.
func (a Assets) aheadTx(ctx context.Context, tx *db.Tx, members []int64) error {
	if a.Points == nil {
		return nil
	}
	return a.Points.AheadTx(ctx, tx, members)
}

// terms are a member's prices.
func (s *Service) terms(ctx context.Context, r db.Reader, memberID, _ int64) (pricing.Tier, map[int64]money.Fen, error) {
	t, err := s.tiers.OfMember(ctx, r, memberID)
	return Terms(t), nil, err
}

// holdings reads what the member has that may lower the bill.
func (s *Service) holdings(_ context.Context, _ frame) (h holdings, err error) {
	return h, nil
}

// pointsFor reads how far the member's points may pay.
func (s *Service) pointsFor(ctx context.Context, f frame, h *holdings) (err error) {
	if f.MemberID != 0 && s.assets.Points != nil {
		h.points, err = s.assets.Points.Rule(ctx, s.db, f.MemberID)
	}
	return err
}

// alsoFor reads what a quote shows beside what lowers it.
func (s *Service) alsoFor(ctx context.Context, f frame, h *holdings) error {
	return s.pointsFor(ctx, f, h)
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

// groupsFor reads which groups could pay a bill.
func (s *Service) groupsFor(ctx context.Context, f frame, total money.Fen, h *holdings) (err error) {
	if f.MemberID == 0 || s.assets.Groups == nil || total == 0 {
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

// payerTx locks who paid an order for somebody else.
func (s *Service) payerTx(ctx context.Context, tx *db.Tx, o Order) error {
	if o.PayerID == 0 || o.PayerID == o.MemberID {
		return nil
	}
	_, err := s.members.StandingTx(ctx, tx, o.PayerID)
	return err
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
	o.BenefitPostingID, err = ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindBenefit, StoreID: o.StoreID, BizDay: o.BizDay, RefKind: "order", RefID: o.ID, Title: o.Title, Memo: o.Plate}, legs...)
	return err
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

// holdCouponsTx promises the coupons of a price to the order, and uses them when it does not wait.
func (s *Service) holdCouponsTx(_ context.Context, _ *db.Tx, _ frame, _ int64, _ pricing.Result, _ []Tender) error {
	return nil
}

// keepCouponsTx uses the coupons that an order held while it waited.
func (s *Service) keepCouponsTx(_ context.Context, _ *db.Tx, _ Order) error { return nil }

// giveBackTx gives back what other slices noted for an order that ended unpaid or is reversed: before any wallet is locked.
func (s *Service) giveBackTx(ctx context.Context, tx *db.Tx, o Order) error {
	if o.GroupID != 0 {
		return s.assets.Groups.UndoTx(ctx, tx, o.ID)
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

// earnTx gives the points of a paid order.
func (s *Service) earnTx(ctx context.Context, tx *db.Tx, o Order) (int64, error) {
	if o.MemberID == 0 || s.assets.Points == nil {
		return 0, nil
	}
	items := o.earning()
	if len(items) == 0 {
		return 0, nil
	}
	return s.assets.Points.EarnTx(ctx, tx, points.Earn{MemberID: o.MemberID, StoreID: o.StoreID, RefKind: "order", RefID: o.ID, BizDay: o.BizDay, Title: o.Title, Items: items})
}

// clawbackTx takes the points of a reversed order back; what is spent already becomes a debt (N11).
func (s *Service) clawbackTx(ctx context.Context, tx *db.Tx, o Order) error {
	if o.PointsEarned == 0 {
		return nil
	}
	return s.assets.Points.ClawbackTx(ctx, tx, "order", o.ID)
}

// has says what of a member's is worth reading.
type has struct{ passes, coupons bool }

// whoHas reads for several members which of them have anything.
func (s *Service) whoHas(_ context.Context, _ db.Reader, members []int64) (map[int64]has, error) {
	return map[int64]has{}, nil
}
