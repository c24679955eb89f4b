package payment

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
)

// goingBack and wentBack end the alert of a payment that is refunded by itself.
const (
	goingBack = "正在自动退款"
	wentBack  = "已自动退款"
)

type unwantedKey struct{}

// decide runs a transaction that may credit a payment, and once more without crediting it when its subject finds out in the middle that it
// does not want the money.
func (s *Service) decide(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	err := s.db.InTx(ctx, fn)
	if errors.Is(err, ErrUnwanted) {
		s.log.WarnContext(ctx, "what was paid cannot be delivered and goes back", "err", err)
		err = s.db.InTx(context.WithValue(ctx, unwantedKey{}, true), fn)
	}
	return err
}

// settle does in one transaction what a signed answer about an order says.
func (s *Service) settle(ctx context.Context, id int64, t wechat.Transaction) (p intent, err error) {
	err = s.decide(ctx, func(ctx context.Context, tx *db.Tx) error {
		locked, err := lockIntent(ctx, tx, id)
		if err != nil {
			return err
		}
		v, why := judge(locked, t, s.wx.MchID())
		p, err = s.applyTx(ctx, tx, locked, t, v, why)
		return err
	})
	if err != nil && !errors.Is(err, errMoved) {
		s.fulfilmentFailed(ctx, id, t, err)
	}
	return p, err
}

// applyTx carries out a verdict and returns the payment as it is then.
func (s *Service) applyTx(ctx context.Context, tx *db.Tx, p intent, t wechat.Transaction, v verdict, why string) (intent, error) {
	at := t.SuccessAt
	if at.IsZero() {
		at = tx.Now
	}
	switch v {
	case credit:
		return s.creditTx(ctx, tx, p, t, at)
	case surplus:
		return s.returnTx(ctx, tx, p, t, at, StateSurplus, why+"，"+goingBack)
	case wrong:
		return s.returnTx(ctx, tx, p, t, at, StateMismatch, "支付不符："+why+"，未入账，"+goingBack)
	case foreign:
		if err := setAlert(ctx, tx, p.ID, why+"，请人工核对"); err != nil {
			return p, err
		}
		if p.live() && t.TransactionID != "" {
			// WeChat's own answer to our question is not what we asked for: nobody may pay this any more.
			err := s.endTx(ctx, tx, p, StateMismatch, why+"，请人工核对")
			p.State = StateMismatch
			return p, err
		}
		return p, nil
	case ended, failed:
		state := StateClosed
		if v == failed {
			state = StateFailed
		}
		err := s.endTx(ctx, tx, p, state, "")
		p.State = state
		return p, err
	}
	return p, nil
}

// creditTx marks the payment as paid and fulfils it: exactly once, because the state it comes from is named (N03, N05).
func (s *Service) creditTx(ctx context.Context, tx *db.Tx, p intent, t wechat.Transaction, at time.Time) (intent, error) {
	f, err := s.fulfiller(p.Purpose)
	if err != nil {
		return p, err
	}
	paid := taken(p, t, at)
	paid.State = StatePaid
	var accept bool
	if ctx.Value(unwantedKey{}) != nil {
		err = f.ClosedTx(ctx, tx, paid.payment())
	} else {
		accept, err = f.PaidTx(ctx, tx, paid.payment())
	}
	if err != nil {
		return p, err
	}
	if !accept {
		return s.returnTx(ctx, tx, p, t, at, StateSurplus, "付款时订单已不需要支付，"+goingBack)
	}
	return paid, take(ctx, tx, p, StatePaid, t.TransactionID, t.TotalFen, at, "", actorName(ctx))
}

// returnTx keeps what was paid without crediting it, and gives it back.
func (s *Service) returnTx(ctx context.Context, tx *db.Tx, p intent, t wechat.Transaction, at time.Time, state, alert string) (intent, error) {
	wasLive := p.live()
	if err := take(ctx, tx, p, state, t.TransactionID, t.TotalFen, at, db.Clip(alert, 300), actorName(ctx)); err != nil {
		return p, err
	}
	out := taken(p, t, at)
	out.State, out.ActiveKey, out.Alert = state, nil, alert
	if t.TotalFen > 0 {
		if _, err := s.refundTx(ctx, tx, out, t.TotalFen, "订单异常，款项原路退回", SubjectAutomatic, p.ID); err != nil {
			return p, err
		}
	}
	if !wasLive || state == StateSurplus {
		return out, nil // the subject knows already: it was closed, or it has just refused the money
	}
	f, err := s.fulfiller(p.Purpose)
	if err != nil {
		return p, err
	}
	return out, f.ClosedTx(ctx, tx, out.payment())
}

func taken(p intent, t wechat.Transaction, at time.Time) intent {
	ms := at.UnixMilli()
	p.TransactionID, p.PaidFen, p.PaidAt, p.WechatState = &t.TransactionID, int64(t.TotalFen), &ms, wechat.TradeSuccess
	return p
}

// fulfilmentFailed makes visible that money came and could not be credited; whoever reported it will come again.
func (s *Service) fulfilmentFailed(ctx context.Context, id int64, t wechat.Transaction, cause error) {
	if t.State != wechat.TradeSuccess {
		return
	}
	var f *fault.Error
	if errors.As(cause, &f) && f.Kind == fault.Unavailable {
		return // the database is busy or away: nothing can be noted there
	}
	s.log.ErrorContext(ctx, "a paid payment could not be credited and will be tried again", "payment", id, "err", cause)
	s.alert(ctx, id, retryAlert)
}

// receive stores a verified notification, decides it, and returns the outcome. Copies that come later or at the same
// time change nothing. Faults: fault.ErrUnavailable and whatever kept it from being decided: WeChat has to come again.
func (s *Service) receive(ctx context.Context, n wechat.Notification) (string, error) {
	ctx = actor.With(ctx, actor.Job("微信支付通知"))
	known, err := outcomeOf(ctx, s.db, n.ID)
	if err != nil {
		return "", err
	}
	if known == outcomeVerified || known == outcomeDuplicate {
		return known, nil
	}
	if known == "" {
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			id := n.ID
			return tx.Insert(ctx, "payment_notifications", notification{ID: tx.NewID(), NotificationID: &id, Kind: db.Clip(n.EventType, 64),
				Outcome: outcomeReceived, Content: db.Clip(n.Plaintext, 16000), At: tx.Millis()})
		})
		if err != nil && !errors.Is(err, db.ErrDuplicate) {
			return "", err
		}
	}
	if n.Refund != nil {
		return s.receiveRefund(ctx, n.ID, *n.Refund)
	}
	return s.receivePayment(ctx, n.ID, *n.Transaction)
}

func (s *Service) receivePayment(ctx context.Context, notificationID string, t wechat.Transaction) (outcome string, err error) {
	id, err := idByNumber(ctx, s.db, t.OutTradeNo)
	if errors.Is(err, fault.ErrNotFound) {
		return outcomeUnknown, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			return decideNotification(ctx, tx, notificationID, 0, outcomeUnknown, "商户订单号 "+t.OutTradeNo, http.StatusNotFound)
		})
	}
	if err != nil {
		return "", err
	}
	err = s.decide(ctx, func(ctx context.Context, tx *db.Tx) error {
		p, err := lockIntent(ctx, tx, id)
		if err != nil {
			return err
		}
		v, why := judge(p, t, s.wx.MchID())
		out, status := outcomeVerified, http.StatusNoContent
		switch v {
		case wrong, foreign:
			// It credits nothing. It is not the last word either: WeChat is asked, and what it answers decides.
			out, status = outcomeMismatch, http.StatusConflict
			if err := setAlert(ctx, tx, p.ID, "收到不符的支付通知："+why); err != nil {
				return err
			}
			err = s.queue.EnqueueTx(ctx, tx, askJob(p.ID, notificationID))
		case duplicate:
			out = outcomeDuplicate
		default:
			_, err = s.applyTx(ctx, tx, p, t, v, why)
		}
		if err != nil {
			return err
		}
		outcome = out
		return decideNotification(ctx, tx, notificationID, p.ID, out, why, status)
	})
	if err != nil {
		s.fulfilmentFailed(ctx, id, t, err)
	}
	return outcome, err
}

// forged keeps a trace of a message that WeChat Pay did not sign. Anybody can send those, so only some are kept.
func (s *Service) forged(ctx context.Context, code string, status int) {
	const perHour = 60
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := countForged(ctx, tx, tx.Now.Add(-time.Hour).UnixMilli())
		if err != nil || n >= perHour {
			return err
		}
		return tx.Insert(ctx, "payment_notifications", notification{ID: tx.NewID(), Kind: "forged", Outcome: outcomeForged,
			Detail: db.Clip(code, 300), HTTPStatus: status, At: tx.Millis()})
	})
	s.log.WarnContext(ctx, "a notification was refused", "code", code, "stored", err == nil)
}

// nextCheck is when a payment is looked at again: by the schedule, but not later than its end.
func (s *Service) nextCheck(p intent) time.Time {
	now := s.db.Now()
	next := now.Add(nextPoll(now.Sub(clock.FromMillis(max(p.PrepayAt, p.SentAt)))))
	if end := clock.FromMillis(p.ExpiresAt).Add(time.Second); next.After(end) && end.After(now) {
		return end
	}
	return next
}
