package tier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
)

// Plans lists the paid memberships; with onSale those that can be bought now.
func (s *Service) Plans(ctx context.Context, onSale bool) ([]Plan, error) {
	all, err := readPlans(ctx, s.db)
	if err != nil {
		return nil, err
	}
	tiers, err := s.list(ctx, s.db)
	if err != nil {
		return nil, err
	}
	out := make([]Plan, 0, len(all))
	for _, p := range all {
		if onSale && !p.OnSale {
			continue
		}
		out = append(out, s.showPlan(p, tiers))
	}
	return out, nil
}

func (s *Service) showPlan(p Plan, tiers []Full) Plan {
	if t, err := pick(tiers, p.TierID); err == nil && t.ID == p.TierID {
		p.TierName = t.Name
	}
	if p.Image != "" && s.ImageURL != nil {
		p.ImageURL = s.ImageURL(p.Image)
	}
	return p
}

// SavePlan adds a plan, or changes the one with the id. Faults: request.invalid, not_found, tier.plan_name_taken, tier.unknown.
func (s *Service) SavePlan(ctx context.Context, id int64, in PlanInput) (p Plan, err error) {
	if in, err = in.clean(); err != nil {
		return p, err
	}
	if s.Catalog != nil {
		if err := s.knownPlan(ctx, in.Rights); err != nil {
			return p, err
		}
	}
	var tiers []Full
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if tiers, err = readAll(ctx, tx, tx.ForUpdate()); err != nil { // the tier must not be deleted meanwhile
			return err
		}
		if in.TierID != 0 && !slices.ContainsFunc(tiers, func(t Full) bool { return t.ID == in.TierID && !t.IsDefault }) {
			return ErrUnknown.On("tierId", "请选择一个比默认等级好的等级")
		}
		old := Plan{ID: tx.NewID(), OnSale: true}
		action := "membership_plan.create"
		if id != 0 {
			action = "membership_plan.update"
			if old, err = planByID(ctx, tx, id, tx.ForUpdate()); err != nil {
				return err
			}
		}
		p = Plan{ID: old.ID, Name: in.Name, Kind: in.Kind, PriceFen: in.PriceFen, Months: in.Months, TierID: in.TierID, Rights: keepIDs(tx.NewID, in.Rights, old.Rights),
			Note: in.Note, Image: in.Image, OnSale: old.OnSale, Sort: in.Sort}
		if in.OnSale != nil {
			p.OnSale = *in.OnSale
		}
		write := insertPlan
		if id != 0 {
			write = updatePlan
		}
		if err := write(ctx, tx, p); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "membership_plan", SubjectID: p.ID, SubjectLabel: p.Name, Detail: map[string]Plan{"before": old, "after": p}})
	})
	return s.showPlan(p, tiers), err
}

func (s *Service) knownPlan(ctx context.Context, rights []Right) error {
	all, err := s.Catalog.Services(ctx)
	if err != nil {
		return err
	}
	list := map[int64]catalog.ServiceItem{}
	for _, v := range all {
		list[v.ID] = v
	}
	var c fault.Complaints
	knownServices(&c, "rights", rights, list)
	return c.First()
}

// product sells memberships.
type product struct{ *Service }

// OfferTx says what a plan costs. Faults: ErrPlanGone, ErrPlanAhead, ErrNoRenewal.
func (p product) OfferTx(ctx context.Context, tx *db.Tx, b sale.Buy) (sale.Terms, error) {
	if len(b.Data) > 0 {
		return p.offerRenewalTx(ctx, tx, b)
	}
	plan, err := planByID(ctx, tx, b.SubjectID, "")
	if errors.Is(err, fault.ErrNotFound) || (err == nil && (!plan.OnSale || b.Qty > 1)) {
		return sale.Terms{}, ErrPlanGone
	}
	if err != nil {
		return sale.Terms{}, err
	}
	starts, err := nextStart(ctx, tx, b.MemberID, plan.ID)
	if err != nil {
		return sale.Terms{}, err
	}
	if starts.Sub(tx.Now) > ahead {
		return sale.Terms{}, ErrPlanAhead
	}
	snapshot, err := json.Marshal(plan)
	return sale.Terms{Title: plan.Name, PriceFen: plan.PriceFen, Account: ledger.Memberships, Snapshot: snapshot, BalanceAllowed: true}, err
}

// nextStart is when another membership of the plan would begin: now, or where the last one ends (N17).
func nextStart(ctx context.Context, tx *db.Tx, memberID, planID int64) (time.Time, error) {
	have, err := membershipsOf(ctx, tx, memberID)
	starts := tx.Now
	for _, m := range have {
		if ends := time.UnixMilli(m.EndsAt); m.PlanID == planID && m.State == MembershipActive && ends.After(starts) {
			starts = ends
		}
	}
	return starts, err
}

// DeliverTx begins the membership that was paid. Fault: sale.ErrGone when the tier that it grants is gone.
func (p product) DeliverTx(ctx context.Context, tx *db.Tx, x sale.Sale) (sale.Delivered, error) {
	var plan Plan
	if err := json.Unmarshal(x.Snapshot, &plan); err != nil {
		return sale.Delivered{}, err
	}
	var r renewal
	if len(x.Data) > 0 {
		if err := json.Unmarshal(x.Data, &r); err != nil {
			return sale.Delivered{}, err
		}
	}
	m, err := p.beginTx(ctx, tx, plan, bought{x.MemberID, x.ID, x.StoreID, r.Renews, x.PriceFen})
	if errors.Is(err, ErrUnknown) {
		err = sale.ErrGone
	}
	zone := bizday.Location(bizday.DefaultZone)
	return sale.Delivered{ID: m.ID, Lines: []sale.Line{{Title: "会员期", Explain: fmt.Sprintf("%s 至 %s", time.UnixMilli(m.StartsAt).In(zone).Format(time.DateOnly),
		time.UnixMilli(m.EndsAt-1).In(zone).Format(time.DateOnly))}}}, err
}

// ReleaseTx has nothing to give back: nothing of a plan is reserved.
func (p product) ReleaseTx(context.Context, *db.Tx, sale.Sale) error { return nil }

// bought says of a membership who bought it by what. saleID 0: it is a gift; renews 0: it follows none by itself.
type bought struct {
	memberID, saleID, storeID, renews int64
	price                             money.Fen
}

// beginTx writes a membership and moves the member.
func (s *Service) beginTx(ctx context.Context, tx *db.Tx, plan Plan, b bought) (m membershipRow, err error) {
	tiers, err := readAll(ctx, tx, "")
	if err != nil {
		return m, err
	}
	if plan.TierID != 0 && !slices.ContainsFunc(tiers, func(t Full) bool { return t.ID == plan.TierID }) {
		return m, ErrUnknown
	}
	def, err := pick(tiers, 0)
	if err != nil {
		return m, err
	}
	if _, err := lockPlace(ctx, tx, b.memberID, def.ID); err != nil { // two memberships at once follow each other
		return m, err
	}
	starts, err := nextStart(ctx, tx, b.memberID, plan.ID)
	if err != nil {
		return m, err
	}
	snapshot, err := json.Marshal(plan)
	if err != nil {
		return m, err
	}
	m = membershipRow{ID: tx.NewID(), MemberID: b.memberID, PlanID: plan.ID, SaleID: b.saleID, Snapshot: string(snapshot), TierID: plan.TierID, PriceFen: int64(b.price), StoreID: b.storeID,
		StartsAt: starts.UnixMilli(), EndsAt: term(starts, plan.Months).UnixMilli(), State: MembershipActive, CreatedAt: tx.Millis()}
	if b.saleID == 0 {
		m.SaleID = giftMark * m.ID
	}
	if b.renews != 0 {
		m.RenewsID, m.RenewOn = &b.renews, true // the subscription goes on with the new one
	}
	_, next := m.earned(plan.Months, tx.Now)
	m.EarnAt = next.UnixMilli()
	if err := tx.Insert(ctx, "tier_memberships", m); err != nil {
		return m, err
	}
	tx.AfterCommit(s.sold.Forget)
	return m, s.settleTx(ctx, tx, b.memberID)
}

// settleTx brings a member's place in line with their memberships. The place is locked.
func (s *Service) settleTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	have, err := membershipsOf(ctx, tx, memberID)
	if err != nil {
		return err
	}
	var until int64
	for _, m := range have {
		p, err := m.plan()
		if err != nil {
			return err
		}
		if m.State == MembershipActive && len(p.Rights) > 0 {
			until = max(until, m.EndsAt)
		}
	}
	if err := setRightsUntil(ctx, tx, memberID, until); err != nil {
		return err
	}
	return s.placeTx(ctx, tx, []int64{memberID})
}

// GiveMembershipTx gives a membership of a plan without a sale and returns its id. Faults: not_found, tier.unknown.
func (s *Service) GiveMembershipTx(ctx context.Context, tx *db.Tx, memberID, planID int64) (int64, error) {
	plan, err := planByID(ctx, tx, planID, "")
	if err != nil {
		return 0, err
	}
	m, err := s.beginTx(ctx, tx, plan, bought{memberID: memberID})
	if err != nil {
		return 0, err
	}
	return m.ID, audit.RecordTx(ctx, tx, audit.Entry{Action: "membership.give", SubjectKind: "member", SubjectID: memberID, SubjectLabel: plan.Name})
}

// EndMembershipTx ends a membership that was given; one that ended before stays as it is. Fault: not_found.
func (s *Service) EndMembershipTx(ctx context.Context, tx *db.Tx, id int64) error {
	m, err := membershipByID(ctx, tx, id, "")
	if err != nil || m.State != MembershipActive || m.PriceFen != 0 {
		return err
	}
	return s.endTx(ctx, tx, m, MembershipRefunded, tx.Millis())
}

// PlanTitle is what a plan is called. Fault: not_found.
func (s *Service) PlanTitle(ctx context.Context, r db.Reader, id int64) (string, error) {
	p, err := planByID(ctx, r, id, "")
	return p.Name, err
}

// endTx ends a membership and moves the member.
func (s *Service) endTx(ctx context.Context, tx *db.Tx, m membershipRow, state string, at int64) error {
	def, err := s.Default(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := lockPlace(ctx, tx, m.MemberID, def.ID); err != nil {
		return err
	}
	if err := setMembershipState(ctx, tx, m.ID, state, at); err != nil {
		return err
	}
	return s.settleTx(ctx, tx, m.MemberID)
}

// Memberships lists a member's memberships, newest first.
func (s *Service) Memberships(ctx context.Context, memberID int64) ([]Membership, error) {
	rows, err := membershipsOf(ctx, s.db, memberID)
	if err != nil {
		return nil, err
	}
	tiers, err := s.list(ctx, s.db)
	if err != nil {
		return nil, err
	}
	out := make([]Membership, 0, len(rows))
	for _, m := range rows {
		p, err := m.plan()
		if err != nil {
			return nil, err
		}
		out = append(out, Membership{ID: m.ID, MemberID: m.MemberID, SaleID: max(m.SaleID, 0), Plan: s.showPlan(p, tiers), PriceFen: money.Fen(m.PriceFen), EarnedFen: money.Fen(m.EarnedFen),
			StartsAt: clock.FromMillis(m.StartsAt), EndsAt: clock.FromMillis(m.EndsAt), State: m.State, RefundFen: m.refundable(s.db.Now()), CreatedAt: clock.FromMillis(m.CreatedAt),
			Renewable: m.renewable(), RenewOn: m.RenewOn && m.State != MembershipRefunded, RenewNote: m.RenewNote})
	}
	return out, nil
}

// RefundMembership ends a membership that was sold and gives the price of the days that are left back to where it came from; what the shop
// keeps of the days that are over counts as revenue. It is a money command. Faults: ErrEnded, sale.ErrState, sale.ErrRefundMax, fault.ErrStore.
func (s *Service) RefundMembership(ctx context.Context, id int64, reason string) (refunded money.Fen, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (money.Fen, error) { return s.refundTx(ctx, tx, id, reason) })
		refunded = got
		return err
	})
	return refunded, err
}

func (s *Service) refundTx(ctx context.Context, tx *db.Tx, id int64, reason string) (money.Fen, error) {
	seen, err := membershipByID(ctx, tx, id, "")
	if err != nil {
		return 0, err
	}
	if s.Sales == nil || s.People == nil || seen.SaleID < 0 {
		return 0, ErrEnded
	}
	if seen.StoreID != 0 && !actor.From(ctx).InStore(seen.StoreID) {
		return 0, fault.ErrStore
	}
	if _, err := s.Sales.LockTx(ctx, tx, seen.SaleID); err != nil {
		return 0, err
	}
	if _, err := s.People.StandingTx(ctx, tx, seen.MemberID); err != nil {
		return 0, err
	}
	m, err := membershipByID(ctx, tx, id, tx.ForUpdate())
	if err != nil {
		return 0, err
	}
	back := m.refundable(tx.Now)
	if back <= 0 {
		return 0, ErrEnded
	}
	kept := money.Fen(m.PriceFen-m.EarnedFen) - back
	if kept > 0 {
		if err := s.earnTx(ctx, tx, m, money.Fen(m.EarnedFen)+kept, m.EarnAt, "会员已过的天数"); err != nil {
			return 0, err
		}
	}
	if _, err := s.Sales.RefundTx(ctx, tx, sale.Refund{SaleID: m.SaleID, AmountFen: back, Debit: ledger.Memberships, StoreID: m.StoreID, Reason: reason}); err != nil {
		return 0, err
	}
	if err := s.endTx(ctx, tx, m, MembershipRefunded, tx.Millis()); err != nil {
		return 0, err
	}
	return back, audit.RecordTx(ctx, tx, audit.Entry{Action: "membership.refund", SubjectKind: "member", SubjectID: m.MemberID, StoreID: m.StoreID,
		Detail: map[string]any{"membershipId": m.ID, "amountFen": back, "reason": reason}})
}

// earnTx turns what was owed into revenue up to total.
func (s *Service) earnTx(ctx context.Context, tx *db.Tx, m membershipRow, total money.Fen, next int64, title string) error {
	part := total - money.Fen(m.EarnedFen)
	if part > 0 {
		if _, err := ledger.PostTx(ctx, tx, nil, ledger.Post{Kind: ledger.KindMembershipEarned, StoreID: m.StoreID, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "membership",
			RefID: m.ID, Title: title}, ledger.ShopLeg(ledger.Memberships, -part), ledger.ShopLeg(ledger.Revenue, part)); err != nil {
			return err
		}
	}
	return setEarned(ctx, tx, m, int64(total), next)
}

// Advance begins, earns, reminds of and ends memberships whose time has come.
func (s *Service) Advance(ctx context.Context) error {
	for ctx.Err() == nil {
		due, err := membershipsWhere(ctx, s.db, dueEarn, s.db.Now().UnixMilli(), 100)
		if err != nil || len(due) == 0 {
			return errors.Join(err, s.remind(ctx))
		}
		for _, m := range due {
			if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.advanceTx(ctx, tx, m.ID) }); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func (s *Service) advanceTx(ctx context.Context, tx *db.Tx, id int64) error {
	def, err := s.Default(ctx, tx)
	if err != nil {
		return err
	}
	m, err := membershipByID(ctx, tx, id, tx.ForUpdate())
	if err != nil || m.State != MembershipActive || m.EarnAt > tx.Millis() {
		return err
	}
	plan, err := m.plan()
	if err != nil {
		return err
	}
	total, next := m.earned(plan.Months, tx.Now)
	at := m.EndsAt
	if !next.IsZero() {
		at = next.UnixMilli()
	}
	if err := s.earnTx(ctx, tx, m, total, at, plan.Name+"·按月确认"); err != nil {
		return err
	}
	if _, err := lockPlace(ctx, tx, m.MemberID, def.ID); err != nil {
		return err
	}
	if next.IsZero() {
		if err := setMembershipState(ctx, tx, m.ID, MembershipEnded, m.EndsAt); err != nil {
			return err
		}
	}
	return s.settleTx(ctx, tx, m.MemberID)
}

// remind tells members that a membership ends soon, unless they have renewed it.
func (s *Service) remind(ctx context.Context) error {
	days, err := s.settings.Int(ctx, setting.TierRenewDays)
	if err != nil || days == 0 || s.Messages == nil {
		return err
	}
	for ctx.Err() == nil {
		due, err := membershipsWhere(ctx, s.db, dueWarn, s.db.Now().AddDate(0, 0, int(days)).UnixMilli(), 100)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, m := range due {
			if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.remindTx(ctx, tx, m) }); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func (s *Service) remindTx(ctx context.Context, tx *db.Tx, m membershipRow) error {
	if n, err := setWarned(ctx, tx, m.ID); err != nil || n == 0 {
		return err
	}
	starts, err := nextStart(ctx, tx, m.MemberID, m.PlanID)
	if err != nil || starts.UnixMilli() > m.EndsAt || m.RenewOn {
		return err // renewed, or announced as a renewal
	}
	p, err := m.plan()
	if err != nil {
		return err
	}
	last := clock.FromMillis(m.EndsAt - 1)
	return s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: m.MemberID, Event: notify.MembershipEnds, Dedupe: fmt.Sprintf("membership_ends:%d", m.ID), Page: "pages/club/tier/index",
		Data: map[string]string{"title": p.Name, "time": last.Format(time.RFC3339), "hint": "到期后权益停止，续费请到会员页"}})
}

// Owed is what would have to be given back of a member's memberships today: who leaves settles it first.
func (s *Service) Owed(ctx context.Context, memberID int64) (n money.Fen, err error) {
	rows, err := membershipsOf(ctx, s.db, memberID)
	for _, m := range rows {
		n += m.refundable(s.db.Now())
	}
	return n, err
}

// EraseTx forgets what is kept of a member who leaves: what was given, whose car it was. Nothing is owed any more.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	if err := dropAssignment(ctx, tx, memberID); err != nil {
		return err
	}
	return eraseUses(ctx, tx, memberID)
}
