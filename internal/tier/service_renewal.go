package tier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
)

// renewal is what a sale's data say when a job renews a membership.
type renewal struct {
	Renews int64 `json:"renews"`
}

// Renewal turns the renewal of the owner's membership on or off (D08). Faults: fault.ErrNotFound for somebody else's, ErrNoRenewal, ErrPlanGone.
func (s *Service) Renewal(ctx context.Context, memberID, id int64, on bool) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := membershipByID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		switch {
		case m.MemberID != memberID:
			return fault.ErrNotFound
		case m.RenewOn == on:
			return nil
		case !on:
			if err := setRenewal(ctx, tx, id, sale.Renewal{}); err != nil {
				return err
			}
			return unwarn(ctx, tx, id) // its end is news again
		case !m.renewable() || m.EndsAt <= tx.Millis():
			return ErrNoRenewal
		}
		plan, err := planByID(ctx, tx, m.PlanID, "")
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		if !plan.OnSale {
			return ErrPlanGone
		}
		return setRenewal(ctx, tx, id, sale.Renewal{On: true})
	})
}

// offerRenewalTx offers the membership that follows another, by the terms under which that was sold (X02). Faults: ErrNoRenewal, ErrPlanGone.
func (p product) offerRenewalTx(ctx context.Context, tx *db.Tx, b sale.Buy) (sale.Terms, error) {
	var r renewal
	if err := json.Unmarshal(b.Data, &r); err != nil {
		return sale.Terms{}, err
	}
	old, err := membershipByID(ctx, tx, r.Renews, tx.ForUpdate())
	if err != nil {
		return sale.Terms{}, err
	}
	if old.MemberID != b.MemberID || old.PlanID != b.SubjectID || old.State == MembershipRefunded || !old.RenewOn || old.NoticedAt == 0 {
		return sale.Terms{}, ErrNoRenewal
	}
	now, err := planByID(ctx, tx, old.PlanID, "")
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return sale.Terms{}, err
	}
	plan, err := old.plan()
	if err != nil {
		return sale.Terms{}, err
	}
	if !now.OnSale {
		return sale.Terms{}, ErrPlanGone.Say("「%s」已停售，不再续费", plan.Name)
	}
	return sale.Terms{Title: plan.Name + "（续费）", PriceFen: plan.PriceFen, Account: ledger.Memberships, Snapshot: json.RawMessage(old.Snapshot), BalanceAllowed: true}, nil
}

// Renewals announces renewals days before stored value is charged, and charges those whose day has come: each once, because one membership is followed
// by one at most. What fails is told and tried again until some days after the end.
func (s *Service) Renewals(ctx context.Context) error {
	if s.Sales == nil || s.Messages == nil {
		return nil
	}
	days, err := s.settings.Int(ctx, setting.PassNoticeDays)
	if err != nil {
		return err
	}
	notice := time.Duration(days) * 24 * time.Hour
	now := s.db.Now()
	return errors.Join(
		s.eachRenewing(ctx, now.Add(notice+sale.RenewAhead), s.announce),
		s.eachRenewing(ctx, now.Add(sale.RenewAhead), func(ctx context.Context, m membershipRow) error { return s.renew(ctx, m, notice) }))
}

// eachRenewing goes through what ends by an instant and follows itself. What fails is logged and does not keep the others from their turn.
func (s *Service) eachRenewing(ctx context.Context, until time.Time, do func(ctx context.Context, m membershipRow) error) error {
	for after := int64(0); ; {
		due, err := renewing(ctx, s.db, until.UnixMilli(), after, 100)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, m := range due {
			after = m.ID
			if err := do(ctx, m); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s.Log.ErrorContext(ctx, "a membership was left for the next turn", "membership", m.ID, "err", err)
			}
		}
	}
}

func (s *Service) announce(ctx context.Context, seen membershipRow) error {
	if !seen.renewal().Announce() {
		return nil
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := membershipByID(ctx, tx, seen.ID, tx.ForUpdate())
		if err != nil || !m.renewal().Announce() {
			return err
		}
		if moved, err := s.followedTx(ctx, tx, m); moved || err != nil {
			return err
		}
		m.NoticedAt = tx.Millis()
		if err := setRenewal(ctx, tx, m.ID, m.renewal()); err != nil {
			return err
		}
		return s.renewTellTx(ctx, tx, m, "notice", "到期自动续费，可随时关闭", clock.FromMillis(m.EndsAt-1))
	})
}

// followedTx lets the renewal of a membership go on with the one that the member has bought to follow it.
func (s *Service) followedTx(ctx context.Context, tx *db.Tx, m membershipRow) (bool, error) {
	have, err := membershipsOf(ctx, tx, m.MemberID)
	if err != nil {
		return false, err
	}
	next := lastOf(have, m.PlanID)
	if next.ID == 0 || next.ID == m.ID || next.EndsAt <= m.EndsAt {
		return false, nil
	}
	if err := setRenewal(ctx, tx, m.ID, sale.Renewal{Note: "已续费"}); err != nil || next.RenewOn || !next.renewable() {
		return true, err
	}
	return true, setRenewal(ctx, tx, next.ID, sale.Renewal{On: true})
}

func (s *Service) renew(ctx context.Context, m membershipRow, notice time.Duration) error {
	if !m.renewal().Due(s.db.Now(), notice) {
		return nil
	}
	moved := false
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		old, err := membershipByID(ctx, tx, m.ID, tx.ForUpdate())
		if err != nil || !old.RenewOn {
			moved = true
			return err
		}
		moved, err = s.followedTx(ctx, tx, old)
		return err
	}); err != nil || moved {
		return err
	}
	data, _ := json.Marshal(renewal{m.ID}) // plain values always marshal
	why, err := s.Sales.Renew(ctx, sale.Buy{Kind: SaleKind, SubjectID: m.PlanID, MemberID: m.MemberID, StoreID: m.StoreID, Data: data}, func(ctx context.Context, tx *db.Tx) error {
		if err := setRenewal(ctx, tx, m.ID, sale.Renewal{Note: "已续费"}); err != nil {
			return err
		}
		have, err := membershipsOf(ctx, tx, m.MemberID)
		if err != nil {
			return err
		}
		return s.renewTellTx(ctx, tx, m, "done", "已从余额续费", clock.FromMillis(lastOf(have, m.PlanID).EndsAt-1))
	})
	if err != nil || why == "" {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.unrenewedTx(ctx, tx, m.ID, why) })
}

// unrenewedTx notes why a renewal failed, tells the member once, and gives up some days after the end.
func (s *Service) unrenewedTx(ctx context.Context, tx *db.Tx, id int64, why string) error {
	m, err := membershipByID(ctx, tx, id, tx.ForUpdate())
	if err != nil || !m.RenewOn || m.NoticedAt == 0 { // switched off, or on anew, meanwhile
		return err
	}
	if err := setRenewal(ctx, tx, id, m.renewal().Failed(tx.Now, clock.FromMillis(m.EndsAt), why)); err != nil {
		return err
	}
	return s.renewTellTx(ctx, tx, m, "failed", "未能续费："+db.Clip(why, 14), clock.FromMillis(m.EndsAt-1))
}

// renewTellTx tells the member what happens with a renewal, once for each announcement.
func (s *Service) renewTellTx(ctx context.Context, tx *db.Tx, m membershipRow, what, hint string, last time.Time) error {
	p, err := m.plan()
	if err != nil {
		return err
	}
	return s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: m.MemberID, Event: notify.PassRenewal, Dedupe: fmt.Sprintf("membership_renewal:%s:%d:%d", what, m.ID, m.NoticedAt),
		Page: fmt.Sprintf("pages/club/membership?id=%d", m.PlanID), Data: map[string]string{"title": p.Name, "amount": money.Fen(p.PriceFen).String(), "time": last.Format(time.RFC3339), "hint": hint}})
}
