package group

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/shop"
)

// AskPayer asks the payer from the till whether the group may pay. The payer is told on the phone; the till looks again until there is an
// answer. The same idempotency key asks once. Faults: those of AllowTx but ErrApproval, ErrNoneAsked, ErrAsked.
func (s *Service) AskPayer(ctx context.Context, a Ask, title string) (out Approval, err error) {
	if !actor.From(ctx).InStore(a.StoreID) {
		return out, fault.ErrStore
	}
	store, err := s.shops.Store(ctx, a.StoreID)
	if err != nil {
		return out, err
	}
	life, err := s.approvalLife(ctx)
	if err != nil {
		return out, err
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) { return s.askTx(ctx, tx, a, title, store, life) })
		id = got
		return err
	})
	if err != nil {
		return out, err
	}
	return approvalByID(ctx, s.db, id)
}

func (s *Service) askTx(ctx context.Context, tx *db.Tx, a Ask, title string, store shop.Store, life time.Duration) (int64, error) {
	who := actor.From(ctx)
	a.At = tx.Now
	g, err := groupByID(ctx, tx, a.GroupID, "")
	if err != nil {
		return 0, err
	}
	if err := s.standTx(ctx, tx, a.DriverMemberID, g.PayerID); err != nil {
		return 0, err
	}
	if g, err = groupByID(ctx, tx, a.GroupID, tx.ForUpdate()); err != nil {
		return 0, err
	}
	if err := g.live(); err != nil {
		return 0, err
	}
	d, err := driverOf(ctx, tx, g.ID, a.DriverMemberID)
	if err != nil {
		return 0, err
	}
	used, err := spent(ctx, tx, g.ID, a.DriverMemberID, bizday.Of(tx.Now, store.Timezone)[:7])
	if err != nil {
		return 0, err
	}
	if err := d.Place.allow(a, used, store.Timezone); err != nil {
		return 0, err
	}
	if !d.Place.Rules.asks(a.AmountFen) {
		return 0, ErrNoneAsked
	}
	if err := askable(ctx, tx, d, a); err != nil {
		return 0, err
	}
	y := Approval{ID: tx.NewID(), GroupID: g.ID, DriverID: d.ID, MemberID: d.MemberID, PayerID: g.PayerID, StoreID: a.StoreID, Plate: a.Plate, ServiceIDs: a.ServiceIDs,
		Goods: a.Goods, Title: db.Clip(title, 60), AmountFen: a.AmountFen, State: ApprovalAsked, AskedBy: db.Clip(who.Name, 64), CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(life)}
	if err := insertApproval(ctx, tx, y, who.ID); err != nil {
		return 0, err
	}
	if err := s.record(ctx, tx, "group.approval_ask", g, map[string]any{"amountFen": a.AmountFen, "plate": a.Plate, "memberId": d.MemberID}); err != nil {
		return 0, err
	}
	return y.ID, s.messages.EnqueueNewTx(ctx, tx, notify.Message{MemberID: g.PayerID, Event: notify.GroupApproval, Dedupe: "group_approval:" + itoa(y.ID),
		Page: "pages/club/groups/approvals", Data: map[string]string{"title": g.Name + "用车付款确认", "amount": a.AmountFen.String(), "plate": a.Plate, "store": store.Name,
			"time": tx.Now.Format(time.RFC3339), "hint": "请在小程序里同意或拒绝"}})
}

// askable refuses a question that is open already, or too many of them. Fault: ErrAsked.
func askable(ctx context.Context, tx *db.Tx, d Driver, a Ask) error {
	live, err := liveApprovals(ctx, tx, d.ID, tx.Millis())
	if err != nil {
		return err
	}
	for _, y := range live {
		if y.fits(a) {
			return ErrAsked.Give(map[string]any{"approvalId": y.ID})
		}
	}
	if len(live) >= maxAsked {
		return ErrAsked
	}
	return nil
}

// Asked reads an approval for the till. Fault: fault.ErrNotFound, also for another store's.
func (s *Service) Asked(ctx context.Context, id int64) (Approval, error) {
	y, err := approvalByID(ctx, s.db, id)
	if err == nil && !actor.From(ctx).InStore(y.StoreID) {
		err = fault.ErrNotFound
	}
	return y, err
}

// Answer stores the acting payer's yes or no. A yes is good for as long as a question. Faults: ErrApproved, fault.ErrNotFound.
func (s *Service) Answer(ctx context.Context, id int64, yes bool, note string) (Approval, error) {
	note, complaint := cleanText(note, 0, 100)
	if complaint != "" {
		return Approval{}, fault.ErrInvalid.On("note", complaint)
	}
	life, err := s.approvalLife(ctx)
	if err != nil {
		return Approval{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		y, err := approvalByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if y.PayerID != actor.From(ctx).MemberID {
			return fault.ErrNotFound
		}
		g, err := groupByID(ctx, tx, y.GroupID, tx.ForUpdate())
		if err != nil {
			return err
		}
		state, action, until := ApprovalDenied, "group.approval_deny", tx.Now
		if yes {
			if err := g.live(); err != nil {
				return err
			}
			state, action, until = ApprovalApproved, "group.approval_yes", tx.Now.Add(life)
		}
		if err := answer(ctx, tx, id, state, note, until.UnixMilli()); err != nil {
			return err
		}
		return s.record(ctx, tx, action, g, map[string]any{"amountFen": y.AmountFen, "plate": y.Plate, "memberId": y.MemberID})
	})
	if err != nil {
		return Approval{}, err
	}
	return approvalByID(ctx, s.db, id)
}
