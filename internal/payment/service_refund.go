package payment

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wechat"
)

// RefundTx makes a refund with a number that is fixed for ever (N07) and promises its delivery. It locks the payment, so
// it belongs before any lock of member or wallet. WeChat takes one refund per payment and minute; several are sent one
// after the other by themselves. Faults: fault.ErrNotFound, ErrNotRefundable, ErrRefundExceeds (detail refundableFen),
// ErrRefundTooLate, ErrAmount.
func (s *Service) RefundTx(ctx context.Context, tx *db.Tx, in RefundCreate) (Refund, error) {
	p, err := lockIntent(ctx, tx, in.PaymentID)
	if err != nil {
		return Refund{}, err
	}
	f, err := s.refundTx(ctx, tx, p, in.AmountFen, in.Reason, in.SubjectKind, in.SubjectID)
	return f.refund(p), err
}

func (s *Service) refundTx(ctx context.Context, tx *db.Tx, p intent, amount money.Fen, reason, kind string, subject int64) (refund, error) {
	switch {
	case amount < 1:
		return refund{}, ErrAmount
	case p.TransactionID == nil || !slices.Contains([]string{StatePaid, StateSurplus, StateMismatch}, p.State):
		return refund{}, ErrNotRefundable
	case kind != SubjectAutomatic && p.State != StatePaid:
		return refund{}, ErrNotRefundable // its money is on the way back already
	case p.PaidAt != nil && tx.Now.Sub(clock.FromMillis(*p.PaidAt)) > refundPeriod:
		return refund{}, ErrRefundTooLate
	}
	sum, err := reserved(ctx, tx, p.ID)
	if err != nil {
		return refund{}, err
	}
	if int64(amount) > p.PaidFen-sum {
		return refund{}, ErrRefundExceeds.Give(map[string]int64{"refundableFen": max(p.PaidFen-sum, 0)})
	}
	id := tx.NewID()
	f := refund{ID: id, PaymentID: p.ID, OutRefundNo: number("LR", id), State: RefundPending, AmountFen: int64(amount), Reason: db.Clip(reason, maxReason),
		SubjectKind: db.Clip(kind, 32), SubjectID: subject, NextTryAt: tx.Millis(), CreatedAt: tx.Millis()}
	if err := tx.Insert(ctx, "payment_refunds", f); err != nil {
		return refund{}, err
	}
	return f, s.queue.EnqueueTx(ctx, tx, refundJob(id))
}

// Reissue sends the money of a refund that WeChat closed again, under a new number: the old one is spent, and only this way is
// it certain that the first did not pay (N07). Faults: fault.ErrNotFound, ErrNotFailed, and those of RefundTx.
func (s *Service) Reissue(ctx context.Context, id int64) (Refund, error) {
	var out Refund
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		f, err := getRefund(ctx, tx, id)
		if err != nil {
			return err
		}
		p, err := lockIntent(ctx, tx, f.PaymentID)
		if err != nil {
			return err
		}
		if err := visible(ctx, p); err != nil {
			return err
		}
		if f, err = lockRefund(ctx, tx, id); err != nil {
			return err
		}
		if f.State != RefundClosed || f.ReplacedBy != 0 {
			return ErrNotFailed
		}
		again, err := s.refundTx(ctx, tx, p, money.Fen(f.AmountFen), f.Reason, f.SubjectKind, f.SubjectID)
		if err != nil {
			return err
		}
		if err := replaceRefund(ctx, tx, f.ID, again.ID); err != nil {
			return err
		}
		if about := alertAfter(p, f, RefundProcessing); about != p.Alert {
			if err := setAlert(ctx, tx, p.ID, about); err != nil {
				return err
			}
		}
		if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "payment.reissue", SubjectKind: "payment", SubjectID: p.ID, SubjectLabel: p.OutTradeNo, StoreID: p.StoreID,
			Detail: map[string]any{"failed": f.OutRefundNo, "again": again.OutRefundNo, "amountFen": f.AmountFen}}); err != nil {
			return err
		}
		out = again.refund(p)
		if f.SubjectKind == SubjectAutomatic {
			return nil
		}
		ff, err := s.fulfiller(p.Purpose)
		if err != nil {
			return err
		}
		return ff.RefundedTx(ctx, tx, out)
	})
	return out, err
}

// Refund reads a refund. Fault: fault.ErrNotFound.
func (s *Service) Refund(ctx context.Context, r db.Reader, id int64) (Refund, error) {
	f, err := getRefund(ctx, r, id)
	if err != nil {
		return Refund{}, err
	}
	p, err := getIntent(ctx, r, f.PaymentID)
	return f.refund(p), err
}

// Refunds reads the refunds of a payment, oldest first.
func (s *Service) Refunds(ctx context.Context, r db.Reader, paymentID int64) ([]Refund, error) {
	p, err := getIntent(ctx, r, paymentID)
	if err != nil {
		return nil, err
	}
	rows, err := refundsOf(ctx, r, paymentID)
	out := make([]Refund, 0, len(rows))
	for _, f := range rows {
		out = append(out, f.refund(p))
	}
	return out, err
}

// stepRefund sends a refund that WeChat does not have yet, or asks about one that it has, and returns when to do so
// again; 0 when the refund is final.
func (s *Service) stepRefund(ctx context.Context, id int64) (next time.Duration, err error) {
	f, err := getRefund(ctx, s.db, id)
	if err != nil || f.final() {
		return 0, err
	}
	p, err := getIntent(ctx, s.db, f.PaymentID)
	if err != nil {
		return 0, err
	}
	var w wechat.Refund
	if f.State == RefundPending {
		w, err = s.wx.Refund(ctx, wechat.RefundRequest{OutTradeNo: p.OutTradeNo, OutRefundNo: f.OutRefundNo, Reason: f.Reason,
			RefundFen: money.Fen(f.AmountFen), TotalFen: money.Fen(p.PaidFen)})
		if wechat.ClassOf(err) == wechat.Rejected {
			// Perhaps it was accepted before and the answer got lost: then it is known under its number.
			if known, qerr := s.wx.QueryRefund(ctx, f.OutRefundNo); qerr == nil {
				w, err = known, nil
			}
		}
	} else {
		w, err = s.wx.QueryRefund(ctx, f.OutRefundNo)
	}
	if err != nil {
		return s.refundDelayed(ctx, f, err)
	}
	w.MchID = s.wx.MchID()
	if f, err = s.settleRefund(ctx, f.ID, w); err != nil || f.final() {
		return 0, err
	}
	return s.noteRefundTry(ctx, f, "")
}

// refundDelayed keeps the refund as it is: an error answer is unsigned, so it never ends one.
func (s *Service) refundDelayed(ctx context.Context, f refund, cause error) (time.Duration, error) {
	alert := ""
	switch wechat.ClassOf(cause) {
	case wechat.Rejected, wechat.NotFound, wechat.NotConfigured:
		alert = "微信没有受理退款（" + wechat.CodeOf(cause) + "），系统会继续重试，请核对"
		s.log.ErrorContext(ctx, "WeChat Pay refuses a refund", "refund", f.ID, "err", cause)
	case wechat.Unavailable:
		if wechat.CodeOf(cause) == "NOT_ENOUGH" || wechat.CodeOf(cause) == "NOTENOUGH" {
			alert = "商户余额不足，充值后自动继续退款"
		}
	}
	return s.noteRefundTry(ctx, f, alert)
}

func (s *Service) noteRefundTry(ctx context.Context, f refund, alert string) (time.Duration, error) {
	next := nextRefundTry(f.State, f.Tries)
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		// An automatic refund leaves the payment's alert alone, which says why the money goes back.
		if alert != "" && f.SubjectKind != SubjectAutomatic {
			if err := setAlert(ctx, tx, f.PaymentID, alert); err != nil {
				return err
			}
		}
		return noteTry(ctx, tx, f.ID, alert, tx.Now.Add(next))
	})
	return next, err
}

// alertAfter is what stays to be looked at on a payment once a refund was accepted or went through.
func alertAfter(p intent, f refund, to string) string {
	switch {
	case to == RefundSuccess && f.SubjectKind == SubjectAutomatic && strings.HasSuffix(p.Alert, goingBack):
		return strings.TrimSuffix(p.Alert, goingBack) + wentBack
	case p.Alert == f.Alert:
		return ""
	}
	return p.Alert
}

// settleRefund does in one transaction what a signed message about a refund says.
func (s *Service) settleRefund(ctx context.Context, id int64, w wechat.Refund) (f refund, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		f, _, _, err = s.settleRefundTx(ctx, tx, id, w)
		return err
	})
	return f, err
}

// settleRefundTx locks payment and refund, compares, and moves the refund on; changed is false when it says nothing new
// or does not match.
func (s *Service) settleRefundTx(ctx context.Context, tx *db.Tx, id int64, w wechat.Refund) (f refund, changed bool, why string, err error) {
	if f, err = getRefund(ctx, tx, id); err != nil {
		return f, false, "", err
	}
	p, err := lockIntent(ctx, tx, f.PaymentID)
	if err != nil {
		return f, false, "", err
	}
	if f, err = lockRefund(ctx, tx, id); err != nil {
		return f, false, "", err
	}
	if why = refundMismatch(p, f, w, s.wx.MchID()); why != "" {
		return f, false, why, noteTry(ctx, tx, f.ID, "退款信息不符："+why+"，请人工核对", tx.Now.Add(nextRefundTry(f.State, f.Tries)))
	}
	to := refundState(w.State)
	if !slices.Contains(moves[f.State], to) {
		return f, false, "", nil
	}
	alert := ""
	switch to {
	case RefundAbnormal:
		alert = "退款异常：付款人账户无法收款，请在微信商户平台处理"
	case RefundClosed:
		alert = "退款失败，款项没有退出"
	}
	if err := moveRefund(ctx, tx, f, to, db.Clip(w.RefundID, 64), alert); err != nil {
		return f, false, "", err
	}
	about := alert
	if to == RefundSuccess || to == RefundProcessing {
		about = alertAfter(p, f, to)
	}
	f.State, f.RefundID, f.Alert, f.Tries = to, w.RefundID, alert, 0
	if about != p.Alert {
		if err := setAlert(ctx, tx, p.ID, about); err != nil {
			return f, false, "", err
		}
	}
	if to == RefundProcessing || f.SubjectKind == SubjectAutomatic {
		return f, true, "", nil
	}
	if to != RefundAbnormal {
		now := tx.Millis()
		f.DoneAt = &now
	}
	ff, err := s.fulfiller(p.Purpose)
	if err != nil {
		return f, false, "", err
	}
	return f, true, "", ff.RefundedTx(ctx, tx, f.refund(p))
}

// refundMismatch says in what WeChat's refund differs from ours, "" when it is ours.
func refundMismatch(p intent, f refund, w wechat.Refund, mchID string) string {
	switch {
	case w.MchID != mchID:
		return "商户号不符"
	case w.OutRefundNo != f.OutRefundNo:
		return "商户退款单号不符"
	case w.OutTradeNo != "" && w.OutTradeNo != p.OutTradeNo:
		return "商户订单号不符"
	case p.TransactionID == nil || (w.TransactionID != "" && w.TransactionID != *p.TransactionID):
		return "微信支付单号不符"
	case int64(w.RefundFen) != f.AmountFen:
		return "退款金额不符"
	case int64(w.TotalFen) != p.PaidFen:
		return "原订单金额不符"
	}
	return ""
}

func (s *Service) receiveRefund(ctx context.Context, notificationID string, w wechat.Refund) (outcome string, err error) {
	f, err := refundByNumber(ctx, s.db, w.OutRefundNo)
	if errors.Is(err, fault.ErrNotFound) {
		return outcomeUnknown, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			return decideNotification(ctx, tx, notificationID, 0, outcomeUnknown, "商户退款单号 "+w.OutRefundNo, http.StatusNotFound)
		})
	}
	if err != nil {
		return "", err
	}
	ctx = actor.With(ctx, actor.Job("微信退款通知"))
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, changed, why, err := s.settleRefundTx(ctx, tx, f.ID, w)
		if err != nil {
			return err
		}
		out, status := outcomeVerified, http.StatusNoContent
		switch {
		case why != "":
			out, status = outcomeMismatch, http.StatusConflict
		case !changed:
			out = outcomeDuplicate
		}
		outcome = out
		return decideNotification(ctx, tx, notificationID, f.PaymentID, out, why, status)
	})
	return outcome, err
}
