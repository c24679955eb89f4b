package pass

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
)

const (
	chunk    = 200
	expiries = 500 // passes that end in one transaction
)

func (s *Service) jobs(q *jobs.Queue) {
	q.Every("pass.tick", 10*time.Minute, func(ctx context.Context) error {
		err := s.Tick(actor.With(ctx, actor.Job("卡项到期与续期")))
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return jobs.After{D: time.Second} // there is more than one turn can do: it goes on where it stopped
		}
		return err
	})
}

// Tick does what time alone does to passes: pauses that run out, renewals with their notice, warnings, expiry. Each pass is its own
// transaction, so that it may stop anywhere and go on later; what it did already it finds done.
func (s *Service) Tick(ctx context.Context) error {
	warn, err := s.settings.Int(ctx, setting.PassWarnDays)
	if err != nil {
		return err
	}
	notice, err := s.settings.Int(ctx, setting.PassNoticeDays)
	if err != nil {
		return err
	}
	now := s.db.Now()
	in := func(days int64) int64 { return now.Add(time.Duration(days) * day).UnixMilli() }
	return errors.Join(
		s.each(ctx, "pauses ended", duePauses, now.UnixMilli(), func(ctx context.Context, tx *db.Tx, p *Pass) error {
			if p.State != StatePaused || tx.Now.Before(p.PauseUntil) {
				return nil
			}
			return s.resumeTx(ctx, tx, p)
		}),
		s.each(ctx, "renewals announced", dueNotices, in(notice+1), func(ctx context.Context, tx *db.Tx, p *Pass) error { return s.noticeTx(ctx, tx, p) }),
		s.renewals(ctx, now, time.Duration(notice)*day),
		s.warnings(ctx, in(warn), warn),
		s.expire(ctx, now),
	)
}

// each changes the passes that a query finds, one transaction a pass. What fails is logged, tried again at the next tick, and does not keep
// the others from their turn.
func (s *Service) each(ctx context.Context, what, query string, until int64, fn func(ctx context.Context, tx *db.Tx, p *Pass) error) error {
	done, failed := 0, 0
	for after := int64(0); ; {
		ids, err := dueIDs(ctx, s.db, query, until, after, chunk)
		if err != nil {
			return err
		}
		for _, id := range ids {
			after = id
			if _, err := s.change(ctx, 0, id, fn); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				failed++
				s.log.ErrorContext(ctx, "a pass was left for the next tick", "what", what, "pass", id, "err", err)
				continue
			}
			done++
		}
		if len(ids) < chunk {
			break
		}
		s.log.InfoContext(ctx, "passes", "what", what, "done", done, "failed", failed)
	}
	if done+failed > 0 {
		s.log.InfoContext(ctx, "passes", "what", what, "done", done, "failed", failed)
	}
	return nil
}

// expire ends the passes whose time is over, many in one transaction and with a handful of statements for all of them; when one of them spoils it, each of
// them again by itself. What is done stays done: a run that was killed begins with what is left.
func (s *Service) expire(ctx context.Context, now time.Time) error {
	done := 0
	for after := int64(0); ; {
		ids, err := dueIDs(ctx, s.db, dueExpiries, now.UnixMilli(), after, expiries)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			after = ids[len(ids)-1]
			if err := s.expireMany(ctx, ids); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				for _, id := range ids {
					if _, err := s.change(ctx, 0, id, s.expireTx); err != nil {
						s.log.ErrorContext(ctx, "a pass was left for the next tick", "what", "passes expired", "pass", id, "err", err)
					}
				}
			}
			done += len(ids)
			s.log.InfoContext(ctx, "passes", "what", "passes expired", "done", done)
		}
		if len(ids) < expiries {
			return nil
		}
	}
}

func (s *Service) expireMany(ctx context.Context, ids []int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		members, err := holdersOf(ctx, tx, ids)
		if err != nil {
			return err
		}
		if err := s.members.AheadTx(tx, members, nil); err != nil {
			return err
		}
		list, err := lockPasses(ctx, tx, ids)
		if err != nil {
			return err
		}
		ledger.AheadUnitsTx(tx, members, ledger.Uses)
		if err := tx.Collect(ctx); err != nil {
			return err
		}
		for _, p := range list {
			if !slices.Contains(members, p.MemberID) {
				continue // given away meanwhile: at the next tick
			}
			tx.Part()
			if err := s.expireOneTx(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// expireOneTx is expireTx of one pass among many: what is alike of all of them is written by the same statement.
func (s *Service) expireOneTx(ctx context.Context, tx *db.Tx, p Pass) error {
	if p.EndPosting != 0 { // it ends again: by itself
		if err := s.expireTx(ctx, tx, &p); err != nil {
			return err
		}
		savePassSoon(tx, p)
		return nil
	}
	if p.State != StateActive || !p.expired(tx.Now) {
		return nil
	}
	posting, err := s.expiryTx(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, l := range p.Lines {
		expireLineSoon(tx, l.ID)
	}
	expirePassSoon(tx, p.ID, posting)
	return note(ctx, tx, p.ID, "expire", "到期")
}

// expiryTx books the end of a pass.
func (s *Service) expiryTx(ctx context.Context, tx *db.Tx, p Pass) (int64, error) {
	return s.endTx(ctx, tx, p, ledger.Post{Kind: ledger.KindPassExpire, StoreID: p.StoreID, BizDay: s.shops.BizDay(ctx, tx.Now, p.StoreID), RefKind: "pass", RefID: p.ID,
		Title: p.Name + " 到期"}, RefundPlan{keptFen: p.ValueFen})
}

// expireTx ends a pass: what is left of it is the shop's.
func (s *Service) expireTx(ctx context.Context, tx *db.Tx, p *Pass) error {
	if p.State != StateActive || !p.expired(tx.Now) {
		return nil
	}
	if p.EndPosting != 0 { // it ends again: one posting holds all that an end took, so that it can be taken back
		if err := s.reopenTx(ctx, tx, p); err != nil {
			return err
		}
	}
	posting, err := s.expiryTx(ctx, tx, *p)
	if err != nil {
		return err
	}
	for i := range p.Lines {
		l := &p.Lines[i]
		l.Left, l.Lost, l.ValueFen, l.LostFen = 0, l.Lost+l.Left, 0, l.LostFen+l.ValueFen
		saveLineSoon(tx, *l)
	}
	p.State, p.EndedAt, p.EndPosting, p.ValueFen, p.LostFen, p.GiftCode = StateExpired, tx.Now, posting, 0, p.LostFen+p.ValueFen, ""
	return note(ctx, tx, p.ID, "expire", "到期")
}

// warnings tells holders that a pass ends soon, once for each end that it had.
func (s *Service) warnings(ctx context.Context, until, days int64) error {
	if days == 0 {
		return nil
	}
	for after := int64(0); ; {
		ids, err := dueIDs(ctx, s.db, dueWarnings, until, after, chunk)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			list, err := passesByID(ctx, tx, ids)
			if err != nil {
				return err
			}
			for _, p := range list {
				if ok, err := markWarned(ctx, tx, p); err != nil || !ok {
					if err != nil {
						return err
					}
					continue
				}
				if err := s.warnTx(ctx, tx, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

func (s *Service) warnTx(ctx context.Context, tx *db.Tx, p Pass) error {
	hint := "到期后不能再用"
	if left := leftText(p); left != "" {
		hint = left + "，请尽快使用"
	}
	return s.messages.EnqueueTx(ctx, tx, notify.Message{MemberID: p.MemberID, Event: notify.PassExpiring, Dedupe: fmt.Sprintf("pass_expiring:%s:%d", p.No, clock.MaybeMillis(p.ExpiresAt)),
		Page: page(p), Data: map[string]string{"title": p.Name, "time": p.ExpiresAt.Add(-time.Minute).Format(time.RFC3339), "hint": hint}})
}

func leftText(p Pass) string {
	var n int64
	for _, l := range p.Lines {
		n += l.Left
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("还剩 %d 次", n)
}

// noticeTx announces a renewal, days before stored value is charged; without it nothing is charged.
func (s *Service) noticeTx(ctx context.Context, tx *db.Tx, p *Pass) error {
	if !p.renewal().Announce() || p.Terms.Renew == nil {
		return nil
	}
	p.NoticedAt = tx.Now
	return s.renewTellTx(ctx, tx, *p, "notice", "到期自动续期，可随时关闭")
}

func (s *Service) renewTellTx(ctx context.Context, tx *db.Tx, p Pass, what, hint string) error {
	return s.messages.EnqueueTx(ctx, tx, notify.Message{MemberID: p.MemberID, Event: notify.PassRenewal, Dedupe: fmt.Sprintf("pass_renewal:%s:%s:%d", what, p.No, clock.MaybeMillis(p.NoticedAt)),
		Page: page(p), Data: map[string]string{"title": p.Name, "amount": p.Terms.Renew.PriceFen.String(), "time": p.ExpiresAt.Add(-time.Minute).Format(time.RFC3339), "hint": hint}})
}

// renewal is how the pass follows itself.
func (p Pass) renewal() sale.Renewal {
	return sale.Renewal{On: p.RenewOn, Note: p.RenewNote, NoticedAt: p.NoticedAt}
}

// renewals buys the passes that follow those that end within a day: each is its own instrument (N17), and each is bought once, because one
// pass is followed by one at most.
func (s *Service) renewals(ctx context.Context, now time.Time, notice time.Duration) error {
	for after := int64(0); ; {
		ids, err := dueIDs(ctx, s.db, dueRenewals, now.Add(sale.RenewAhead).UnixMilli(), after, chunk)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		for _, id := range ids {
			if err := s.renew(ctx, id, notice); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s.log.ErrorContext(ctx, "a pass was not renewed", "pass", id, "err", err)
			}
		}
	}
}

func (s *Service) renew(ctx context.Context, id int64, notice time.Duration) error {
	p, err := s.Pass(ctx, 0, id)
	if err != nil || !p.renewal().Due(s.db.Now(), notice) {
		return err
	}
	data, _ := json.Marshal(renewal{Renews: p.ID}) // plain values always marshal
	why, err := s.sales.Renew(ctx, sale.Buy{Kind: SalePass, SubjectID: p.PlanID, MemberID: p.MemberID, StoreID: p.StoreID, Data: data}, func(ctx context.Context, tx *db.Tx) error {
		old, err := passByID(ctx, tx, p.ID, "", tx.ForUpdate())
		if err != nil {
			return err
		}
		old.RenewOn, old.RenewNote = false, "已续期"
		return savePass(ctx, tx, old)
	})
	if err != nil || why == "" {
		return err
	}
	_, err = s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, p *Pass) error { return s.unrenewedTx(ctx, tx, p, why) })
	return err
}

// unrenewedTx notes why a renewal failed, tells the holder once, and gives up some days after the end.
func (s *Service) unrenewedTx(ctx context.Context, tx *db.Tx, p *Pass, why string) error {
	if !p.RenewOn || p.NoticedAt.IsZero() { // switched off, or on anew, meanwhile
		return nil
	}
	left := p.renewal().Failed(tx.Now, p.ExpiresAt, why)
	p.RenewOn, p.RenewNote = left.On, left.Note
	return s.renewTellTx(ctx, tx, *p, "failed", "未能续期："+db.Clip(why, 14))
}
