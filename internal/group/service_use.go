package group

import (
	"context"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// AllowTx decides under the group's lock whether the group pays the amount of an order, notes it, and returns the member whose wallet pays.
// It locks members before the group; the caller locks the payer's wallet afterwards and takes the money in the same transaction, or holds it.
// Faults: those of Group.live and Place.allow, ErrNoDriver, ErrDriver, ErrPayer, ErrApproval with what is asked already.
func (s *Service) AllowTx(ctx context.Context, tx *db.Tx, a Ask) (payerMemberID int64, err error) {
	if a.AmountFen <= 0 {
		return 0, fault.ErrInvalid.On("amountFen", "金额必须大于 0")
	}
	seen, err := groupByID(ctx, tx, a.GroupID, "")
	if err != nil {
		return 0, err
	}
	if err := s.standTx(ctx, tx, a.DriverMemberID, seen.PayerID); err != nil {
		return 0, err
	}
	g, err := groupByID(ctx, tx, a.GroupID, tx.ForUpdate()) // who pays never changes
	if err != nil {
		return 0, err
	}
	if err := g.live(); err != nil {
		return 0, err
	}
	d, err := driverOf(ctx, tx, g.ID, a.DriverMemberID) // places change under the group's lock alone
	if err != nil {
		return 0, err
	}
	zone := s.shops.Zone(ctx, a.StoreID)
	day := bizday.Of(a.At, zone)
	used, err := spent(ctx, tx, g.ID, a.DriverMemberID, day[:7])
	if err != nil {
		return 0, err
	}
	if err := d.Place.allow(a, used, zone); err != nil {
		return 0, err
	}
	u := useRow{ID: tx.NewID(), GroupID: g.ID, DriverID: d.ID, MemberID: a.DriverMemberID, PayerID: g.PayerID, OrderID: a.OrderID, StoreID: a.StoreID, Plate: a.Plate,
		AmountFen: int64(a.AmountFen), BizDay: day, BizMonth: day[:7], State: useTaken, CreatedAt: tx.Millis()}
	if d.Place.Rules.asks(a.AmountFen) {
		if u.ApprovalID, err = s.spendYesTx(ctx, tx, d, a); err != nil {
			return 0, err
		}
	}
	return g.PayerID, tx.Insert(ctx, "group_uses", u)
}

// standTx says whether driver and payer may be served, in ascending order. Faults: ErrDriver, ErrPayer.
func (s *Service) standTx(ctx context.Context, tx *db.Tx, driver, payer int64) error {
	ids := []int64{driver, payer}
	slices.Sort(ids)
	for _, id := range ids {
		st, err := s.members.StandingTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := st.Usable(); err != nil {
			if id == payer {
				return ErrPayer // what is the matter with the payer is the payer's
			}
			return ErrDriver.Say("用车人的账户现在不能使用：%s", fault.As(err).Message)
		}
	}
	return nil
}

// spendYesTx uses up the approval that fits. Fault: ErrApproval.
func (s *Service) spendYesTx(ctx context.Context, tx *db.Tx, d Driver, a Ask) (int64, error) {
	live, err := liveApprovals(ctx, tx, d.ID, tx.Millis())
	if err != nil {
		return 0, err
	}
	asked := int64(0)
	for _, y := range live {
		if !y.fits(a) {
			continue
		}
		if y.State == ApprovalApproved {
			return y.ID, useApproval(ctx, tx, y.ID, a.OrderID)
		}
		asked = y.ID
	}
	if asked != 0 {
		return 0, ErrApproval.Say("正在等付款人同意，请稍候").Give(map[string]any{"approvalId": asked})
	}
	return 0, ErrApproval.Say("超过 %s 需要付款人同意，请先发起确认", d.Place.Rules.ApprovalOverFen.Yuan())
}

// fits says whether an approval is about what the till asks for: the same store and car, no more money, nothing else done.
func (y Approval) fits(a Ask) bool {
	if y.GroupID != a.GroupID || y.MemberID != a.DriverMemberID || y.StoreID != a.StoreID || y.Plate != a.Plate || a.AmountFen > y.AmountFen || (a.Goods && !y.Goods) {
		return false
	}
	return !slices.ContainsFunc(a.ServiceIDs, func(id int64) bool { return !slices.Contains(y.ServiceIDs, id) })
}

// UndoTx takes back what AllowTx noted for an order that was given up or undone; an order that no group paid is no error. The payer's yes can be used
// again while it is in time.
func (s *Service) UndoTx(ctx context.Context, tx *db.Tx, orderID int64) error {
	u, found, err := useOf(ctx, tx, orderID)
	if err != nil || !found || u.State == useUndone {
		return err
	}
	if err := undoUse(ctx, tx, u.ID, bizday.Of(tx.Now, s.shops.Zone(ctx, u.StoreID))[:7]); err != nil {
		return err
	}
	if u.ApprovalID != 0 {
		return freeApproval(ctx, tx, u.ApprovalID, orderID)
	}
	return nil
}

// Usable lists the groups that could pay for a driver at the till: for showing only, AllowTx decides. AmountFen is the bill.
func (s *Service) Usable(ctx context.Context, r db.Reader, a Ask) ([]Offer, error) {
	if a.DriverMemberID == 0 {
		return nil, nil
	}
	places, err := placesOf(ctx, r, a.DriverMemberID)
	if err != nil || len(places) == 0 {
		return nil, err
	}
	list, err := payableBy(ctx, r, a.DriverMemberID)
	if err != nil {
		return nil, err
	}
	var payers []int64
	for _, g := range list {
		payers = append(payers, g.PayerID)
	}
	names, err := s.members.MaskedNames(ctx, payers)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, g := range list {
		i := slices.IndexFunc(places, func(d Driver) bool { return d.GroupID == g.ID })
		if i < 0 {
			continue
		}
		a.GroupID = g.ID
		o, err := s.offer(ctx, r, g, places[i], a)
		if err != nil {
			return nil, err
		}
		o.PayerName = names[g.PayerID]
		out = append(out, o)
	}
	return out, nil
}

func (s *Service) offer(ctx context.Context, r db.Reader, g Group, d Driver, a Ask) (Offer, error) {
	o := Offer{GroupID: g.ID, Name: g.Name}
	zone := s.shops.Zone(ctx, a.StoreID)
	used, err := spent(ctx, r, g.ID, a.DriverMemberID, bizday.Of(a.At, zone)[:7])
	if err != nil {
		return o, err
	}
	has, err := ledger.BalanceOf(ctx, r, g.PayerID)
	if err != nil {
		return o, err
	}
	payer, err := s.members.Get(ctx, g.PayerID)
	if err != nil {
		return o, err
	}
	part := a
	part.AmountFen = min(d.Place.Rules.room(a.AmountFen, used), money.Fen(max(has.Principal+has.Bonus-has.Held, 0)))
	err = g.live()
	switch {
	case err != nil:
	case payer.Status != "active" && payer.Status != "closing":
		err = ErrPayer
	case part.AmountFen == 0 && a.AmountFen > 0 && d.Place.Rules.room(a.AmountFen, used) > 0:
		err = ledger.ErrInsufficient.Say("付款人余额不足，请提醒付款人充值")
	case part.AmountFen == 0:
		err = d.Place.allow(a, used, zone)
	default:
		err = d.Place.allow(part, used, zone)
	}
	if err != nil {
		o.Why = fault.As(err).Message
		return o, nil
	}
	o.AvailableFen = part.AmountFen
	if d.Place.Rules.asks(part.AmountFen) {
		return o, s.findYes(ctx, r, d, part, &o)
	}
	return o, nil
}

func (s *Service) findYes(ctx context.Context, r db.Reader, d Driver, a Ask, o *Offer) error {
	live, err := liveApprovals(ctx, r, d.ID, a.At.UnixMilli())
	o.NeedsYes = true
	for _, y := range live {
		if y.fits(a) {
			o.ApprovalID = y.ID
			if y.State == ApprovalApproved {
				o.NeedsYes = false
				break
			}
		}
	}
	return err
}

// monthOf is the shop's month of an instant.
func monthOf(t time.Time) string { return bizday.Of(t, bizday.DefaultZone)[:7] }
