package pass

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/sale"
)

// renewal is what a sale's data say when a job renews a pass.
type renewal struct {
	Renews int64 `json:"renews"`
}

// passProduct sells passes.
type passProduct struct{ *Service }

// OfferTx checks the plan and writes the pass with its frozen terms; it waits for its money. Faults: ErrPlan, ErrSoldOut, ErrMany, ErrPlate.
func (s passProduct) OfferTx(ctx context.Context, tx *db.Tx, b sale.Buy) (sale.Terms, error) {
	var r renewal
	if len(b.Data) > 0 {
		if err := json.Unmarshal(b.Data, &r); err != nil {
			return sale.Terms{}, err
		}
	}
	if r.Renews != 0 {
		return s.offerRenewalTx(ctx, tx, b, r.Renews)
	}
	plan, err := planByID(ctx, tx, b.SubjectID, "")
	if err != nil {
		return sale.Terms{}, ErrPlan.On("planId", "请重新选择")
	}
	if why := plan.closed(s.shops.BizDay(ctx, tx.Now, b.StoreID)); why != "" {
		return sale.Terms{}, ErrPlan.Say("「%s」%s", plan.Name, why).On("planId", why)
	}
	if b.StoreID != 0 && len(plan.StoreIDs) > 0 && !slices.Contains(plan.StoreIDs, b.StoreID) {
		return sale.Terms{}, ErrPlan.Say("「%s」不在这家门店销售", plan.Name).On("storeId", "请换一家门店")
	}
	plate, err := plateFor(plan.Plates, b.Plate)
	if err != nil {
		return sale.Terms{}, err
	}
	if plan.PerMember > 0 {
		n, err := s.countOf(ctx, tx, plan.ID, b.MemberID) // the member is locked
		if err != nil {
			return sale.Terms{}, err
		}
		if n >= plan.PerMember {
			return sale.Terms{}, ErrMany.Say("「%s」每人限购 %d 张", plan.Name, plan.PerMember)
		}
	}
	if err := reserve(ctx, tx, plan.ID); err != nil {
		return sale.Terms{}, err
	}
	terms, err := s.terms(ctx, plan.Offer)
	if err != nil {
		return sale.Terms{}, err
	}
	p := Pass{PlanID: plan.ID, MemberID: b.MemberID, PayerID: b.MemberID, StoreID: b.StoreID, SaleID: b.SaleID, Source: SourceSale, Terms: terms}
	if err := s.writeTx(ctx, tx, &p, plate, ""); err != nil {
		return sale.Terms{}, err
	}
	return sale.Terms{Title: p.Name, PriceFen: plan.PriceFen, Account: ledger.Passes, Snapshot: json.RawMessage(text(terms)), BalanceAllowed: plan.FromBalance},
		insertFund(ctx, tx, p.ID, b.SaleID, SalePass, 0, plan.PriceFen)
}

// plateFor says which plate a pass that is bound to plates begins with. Fault: ErrPlate.
func plateFor(plates int64, plate string) (string, error) {
	if plates == 0 {
		return "", nil
	}
	if strings.TrimSpace(plate) == "" {
		return "", ErrPlate.Say("这种卡要绑定车牌，请选择一辆车").On("plate", "必填")
	}
	plate, _, complaint := member.ParsePlate(plate)
	if complaint != "" {
		return "", ErrPlate.Say("车牌号不正确：%s", complaint).On("plate", complaint)
	}
	return plate, nil
}

// writeTx writes a pass that waits to be delivered, with its lines.
func (s *Service) writeTx(ctx context.Context, tx *db.Tx, p *Pass, plate, dedupe string) error {
	p.ID = tx.NewID()
	p.No, p.Name, p.Kind, p.State, p.CreatedAt = fmt.Sprintf("P%d", p.ID), p.Terms.Name, p.Terms.Kind, StatePending, tx.Now
	for i, l := range p.Terms.Lines {
		p.Lines = append(p.Lines, Line{ID: tx.NewID(), PassID: p.ID, Sort: int64(i), Title: l.Title, Counted: l.Times > 0, ListFen: l.ListFen, ServiceIDs: l.ServiceIDs, GoodIDs: l.GoodIDs})
	}
	if err := insertPass(ctx, tx, *p, dedupe); err != nil {
		return err
	}
	if err := insertLines(ctx, tx, p.Lines); err != nil || plate == "" {
		return err
	}
	p.Plates = []string{plate}
	return bindPlate(ctx, tx, p.ID, plate)
}

// offerRenewalTx writes the pass that follows another, by the terms that were frozen with it (N17). Faults: ErrRenew, ErrPlan.
func (s passProduct) offerRenewalTx(ctx context.Context, tx *db.Tx, b sale.Buy, oldID int64) (sale.Terms, error) {
	old, err := passByID(ctx, tx, oldID, "", tx.ForUpdate())
	if err != nil {
		return sale.Terms{}, err
	}
	if old.Terms.Renew == nil || !old.RenewOn || old.NoticedAt.IsZero() || old.MemberID != b.MemberID {
		return sale.Terms{}, ErrRenew
	}
	plan, err := planByID(ctx, tx, old.PlanID, "")
	if err != nil {
		return sale.Terms{}, err
	}
	if !plan.OnSale {
		return sale.Terms{}, ErrPlan.Say("「%s」已停售，不再续期", old.Name)
	}
	terms := old.Terms
	terms.PriceFen, terms.ValidDays, terms.ValidMonths, terms.AnchorDay = old.Terms.Renew.PriceFen, 0, old.Terms.Renew.Months, 0
	if old.ExpiresAt.After(tx.Now) { // it goes on without a gap
		terms.AnchorDay = cmp.Or(old.Terms.AnchorDay, old.StartsAt.In(zone()).Day())
	}
	p := Pass{PlanID: old.PlanID, MemberID: b.MemberID, PayerID: b.MemberID, StoreID: old.StoreID, SaleID: b.SaleID, RenewsID: old.ID, Source: SourceRenewal, Terms: terms,
		StartsAt: later(old.ExpiresAt, tx.Now)}
	if err := s.writeTx(ctx, tx, &p, "", ""); err != nil {
		return sale.Terms{}, err
	}
	for _, plate := range old.Plates {
		if err := bindPlate(ctx, tx, p.ID, plate); err != nil {
			return sale.Terms{}, err
		}
	}
	return sale.Terms{Title: p.Name + "（续期）", PriceFen: terms.PriceFen, Account: ledger.Passes, Snapshot: json.RawMessage(text(terms)), BalanceAllowed: true},
		insertFund(ctx, tx, p.ID, b.SaleID, SalePass, 0, terms.PriceFen)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// DeliverTx makes the pass good. Fault: sale.ErrGone.
func (s passProduct) DeliverTx(ctx context.Context, tx *db.Tx, x sale.Sale) (sale.Delivered, error) {
	id, err := bySale(ctx, tx, x.ID)
	if err != nil {
		return sale.Delivered{}, err
	}
	p, err := passByID(ctx, tx, id, "", tx.ForUpdate())
	if err != nil {
		return sale.Delivered{}, err
	}
	if p.State != StatePending {
		return sale.Delivered{}, sale.ErrGone
	}
	legs, err := s.activateTx(ctx, tx, &p, x.PriceFen == 0)
	if err != nil {
		return sale.Delivered{}, err
	}
	if p.RenewsID != 0 { // the subscription goes on with the new pass
		p.RenewOn = true
		if err := savePass(ctx, tx, p); err != nil {
			return sale.Delivered{}, err
		}
	}
	var lines []sale.Line
	for _, e := range p.Terms.Explain() {
		lines = append(lines, sale.Line{Title: e})
	}
	units := []ledger.Unit{}
	if len(legs) > 0 {
		units = append(units, ledger.Uses)
	}
	return sale.Delivered{ID: p.ID, Units: units, Legs: legs, Lines: lines}, s.tellSoldTx(ctx, tx, p)
}

// activateTx starts a pass and returns the legs of its uses. A free pass owes nothing.
func (s *Service) activateTx(ctx context.Context, tx *db.Tx, p *Pass, free bool) ([]ledger.Leg, error) {
	p.State, p.PaidAt, p.StartsAt = StateActive, tx.Now, later(p.StartsAt, tx.Now)
	p.ExpiresAt = endOn(p.StartsAt.Add(-time.Duration(boolInt(p.RenewsID != 0))*time.Millisecond), p.Terms.ValidDays, p.Terms.ValidMonths, p.Terms.AnchorDay)
	if !free {
		p.PaidFen, p.ValueFen = p.Terms.PriceFen, p.Terms.PriceFen
	}
	shares := p.Terms.share()
	var legs []ledger.Leg
	var total int64
	for i := range p.Lines {
		l := &p.Lines[i]
		l.Times = p.Terms.Lines[i].Times
		l.Left = l.Times
		if !p.ByTime() && !free {
			l.ValueFen = shares[i]
		}
		if err := saveLine(ctx, tx, *l); err != nil {
			return nil, err
		}
		if l.Left > 0 {
			legs = append(legs, lotLeg(*l, l.Left, p.ExpiresAt))
			total += l.Left
		}
	}
	if total > 0 {
		legs = append(legs, ledger.UsesLeg(-total))
	}
	if err := note(ctx, tx, p.ID, p.Source, p.Name); err != nil {
		return nil, err
	}
	return legs, savePass(ctx, tx, *p)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lotLeg brings n uses of a line.
func lotLeg(l Line, n int64, expires time.Time) ledger.Leg {
	return ledger.Leg{Unit: ledger.Uses, Amount: n, Lot: &ledger.NewLot{RefKind: ledger.LotPassLine, RefID: l.ID, ExpiresAt: clock.MaybeMillis(expires)}}
}

// ReleaseTx forgets a pass that nobody paid for.
func (s passProduct) ReleaseTx(ctx context.Context, tx *db.Tx, x sale.Sale) error {
	id, err := bySale(ctx, tx, x.ID)
	if err != nil || id == 0 {
		return err
	}
	p, err := passByID(ctx, tx, id, "", tx.ForUpdate())
	if err != nil || p.State != StatePending {
		return err
	}
	p.State, p.EndedAt = StateVoid, tx.Now
	if err := unbindPlates(ctx, tx, p.ID, ""); err != nil {
		return err
	}
	if p.Source == SourceSale {
		if err := unreserve(ctx, tx, p.PlanID); err != nil {
			return err
		}
	}
	return savePass(ctx, tx, p)
}

// rechargeProduct adds times to a pass (充次).
type rechargeProduct struct{ *Service }

// rechargeable says whether times may be added to a pass. Faults: fault.ErrNotFound, ErrRecharge.
func rechargeable(p Pass, memberID int64, now time.Time) error {
	switch {
	case p.MemberID != memberID:
		return fault.ErrNotFound
	case p.Terms.Recharge == nil:
		return ErrRecharge
	case p.State != StateActive && p.State != StateUsed || p.gifting(now):
		return ErrRecharge.Say("这张卡现在的状态不能充次")
	case p.expired(now):
		return ErrRecharge.Say("这张卡已到期，请买一张新的")
	}
	return nil
}

// OfferTx checks the pass. Faults: fault.ErrNotFound, ErrRecharge.
func (s rechargeProduct) OfferTx(ctx context.Context, tx *db.Tx, b sale.Buy) (sale.Terms, error) {
	p, err := passByID(ctx, tx, b.SubjectID, "", tx.ForUpdate())
	if err != nil {
		return sale.Terms{}, err
	}
	if err := rechargeable(p, b.MemberID, tx.Now); err != nil {
		return sale.Terms{}, err
	}
	r := p.Terms.Recharge
	return sale.Terms{Title: fmt.Sprintf("%s 充 %d 次", p.Name, r.Times), PriceFen: r.PriceFen, Account: ledger.Passes, Snapshot: json.RawMessage(text(r)), BalanceAllowed: p.Terms.FromBalance}, nil
}

// DeliverTx adds the times; the validity begins anew where that is longer. Fault: sale.ErrGone when the pass has ended meanwhile.
func (s rechargeProduct) DeliverTx(ctx context.Context, tx *db.Tx, x sale.Sale) (sale.Delivered, error) {
	p, err := passByID(ctx, tx, x.SubjectID, "", tx.ForUpdate())
	if err != nil {
		return sale.Delivered{}, err
	}
	if rechargeable(p, x.MemberID, tx.Now) != nil {
		return sale.Delivered{}, sale.ErrGone
	}
	r, l := p.Terms.Recharge, &p.Lines[0]
	if end := endOf(tx.Now, p.Terms.ValidDays, p.Terms.ValidMonths); end.After(p.ExpiresAt) {
		if err := s.moveEndTx(ctx, tx, &p, end); err != nil {
			return sale.Delivered{}, err
		}
	}
	l.Times += r.Times
	l.Left += r.Times
	l.ValueFen += x.PriceFen
	p.PaidFen += x.PriceFen
	p.ValueFen += x.PriceFen
	p.State = StateActive
	if err := saveLine(ctx, tx, *l); err != nil {
		return sale.Delivered{}, err
	}
	if err := savePass(ctx, tx, p); err != nil {
		return sale.Delivered{}, err
	}
	if err := insertFund(ctx, tx, p.ID, x.ID, SaleRecharge, r.Times, x.PriceFen); err != nil {
		return sale.Delivered{}, err
	}
	if err := note(ctx, tx, p.ID, "recharge", fmt.Sprintf("充 %d 次，%s", r.Times, x.PriceFen.Yuan())); err != nil {
		return sale.Delivered{}, err
	}
	return sale.Delivered{ID: p.ID, Units: []ledger.Unit{ledger.Uses}, Legs: []ledger.Leg{lotLeg(*l, r.Times, p.ExpiresAt), ledger.UsesLeg(-r.Times)},
		Lines: []sale.Line{{Title: fmt.Sprintf("充后剩余 %d 次", l.Left)}}}, nil
}

// ReleaseTx has nothing to give back.
func (s rechargeProduct) ReleaseTx(context.Context, *db.Tx, sale.Sale) error { return nil }

func (s *Service) tellSoldTx(ctx context.Context, tx *db.Tx, p Pass) error {
	hint := "长期有效"
	if !p.ExpiresAt.IsZero() {
		hint = "有效期至 " + lastDay(p.ExpiresAt)
	}
	return s.messages.EnqueueTx(ctx, tx, notify.Message{MemberID: p.MemberID, Event: notify.PassSold, Dedupe: "pass_sold:" + p.No, Page: page(p),
		Data: map[string]string{"title": p.Name, "amount": p.PaidFen.String(), "time": tx.Now.Format(time.RFC3339), "hint": hint}})
}

// page is where the owner sees a pass.
func page(p Pass) string { return fmt.Sprintf("pages/club/pass?id=%d", p.ID) }
