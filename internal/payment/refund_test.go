package payment

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func (r *rig) finished(f Refund, state string) Refund {
	r.t.Helper()
	var got Refund
	until(r.t, "refund "+state, func() bool { r.later(time.Minute); got = r.refundState(f); return got.State == state })
	return got
}

func TestRefundInParts(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	a := r.refund(p, 20000)
	if a.State != RefundPending || a.OutRefundNo == "" {
		t.Fatalf("%+v", a)
	}
	if got := r.finished(a, RefundSuccess); got.OutRefundNo != a.OutRefundNo || got.RefundID == "" || got.DoneAt.IsZero() || got.PaymentSubjectID != p.SubjectID {
		t.Fatalf("%+v", got)
	}
	if n := r.count("refunded_success", p.ID); n != 1 {
		t.Fatal("told ", n)
	}
	if _, err := r.tryRefund(p, 30001); !errors.Is(err, ErrRefundExceeds) {
		t.Fatal(err)
	}
	b := r.refund(p, 30000)
	if _, err := r.tryRefund(p, 1); !errors.Is(err, ErrRefundExceeds) {
		t.Fatal("a pending refund holds its money: ", err)
	}
	r.finished(b, RefundSuccess)
	if got := r.want(p, StatePaid, 1, 0); got.RefundedFen != 50000 || got.Alert != "" {
		t.Fatalf("%+v", got)
	}
	if s := r.notify(p); s != http.StatusNoContent {
		t.Fatal("repeated notifications answered ", s)
	}
	r.finished(b, RefundSuccess)
	if n := r.count("refunded_success", p.ID); n != 2 {
		t.Fatal("told ", n)
	}
}

func TestRefundRefusesBadInput(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	open := r.create()
	for _, fen := range []int{0, -5} {
		if _, err := r.tryRefund(r.get(open), moneyFen(fen)); !errors.Is(err, ErrAmount) {
			t.Error(fen, err)
		}
	}
	if _, err := r.tryRefund(open, 1); !errors.Is(err, ErrNotRefundable) {
		t.Error(err)
	}
	if _, err := r.tryRefund(Payment{ID: 1}, 1); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
	p := r.paid()
	r.clk.Advance(366 * 24 * time.Hour)
	if _, err := r.tryRefund(p, 1); !errors.Is(err, ErrRefundTooLate) {
		t.Error(err)
	}
}

func TestN07RetriesKeepTheNumber(t *testing.T) {
	for _, f := range []struct{ kind, value string }{{"status", "500"}, {"drop", ""}, {"drop_after", ""}, {"forge", ""}, {"errcode", "SYSTEM_ERROR"},
		{"errcode", "FREQUENCY_LIMITED"}, {"errcode", "NOTENOUGH"}, {"errcode", "RESOURCE_NOT_EXISTS"}, {"errcode", "INVALID_REQUEST"}} {
		t.Run(f.kind+f.value, func(t *testing.T) {
			r := newRig(t)
			defer r.clean()
			p := r.paid()
			r.fault("pay.api", f.kind, "/v3/refund/domestic/refunds", f.value, 3)
			x := r.refund(p, 12300)
			r.later(0)
			// Where WeChat acted and only its answer was lost, the notification may have told already.
			if acted := f.kind == "drop_after" || f.kind == "forge"; !acted {
				if got := r.refundState(x); got.State != RefundPending || r.get(p).RefundedFen != 0 {
					t.Fatalf("%+v", got)
				}
			}
			if f.value == "NOTENOUGH" && !strings.Contains(r.get(p).Alert, "余额不足") {
				t.Fatal("no alert")
			}
			if got := r.finished(x, RefundSuccess); got.OutRefundNo != x.OutRefundNo {
				t.Fatal("the number changed")
			}
			refunds := r.wx.Snapshot().Refunds
			if len(refunds) != 1 || refunds[0].RefundFen != 12300 || refunds[0].OutRefundNo != x.OutRefundNo {
				t.Fatalf("at WeChat: %+v", refunds)
			}
			if n := r.count("refunded_success", p.ID); n != 1 {
				t.Fatal("told ", n)
			}
			if a := r.get(p).Alert; a != "" {
				t.Fatal("alert stays: ", a)
			}
		})
	}
}

func TestN07RefundsAtOnceNeverExceed(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	var ok, refused atomic.Int32
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			switch _, err := r.tryRefund(p, 10000); {
			case err == nil:
				ok.Add(1)
			case errors.Is(err, ErrRefundExceeds):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ok.Load() != 5 || refused.Load() != 7 {
		t.Fatalf("%d accepted, %d refused", ok.Load(), refused.Load())
	}
	until(t, "all refunded", func() bool { r.later(time.Minute); return r.get(p).RefundedFen == 50000 })
}

func TestRefundJobAndNotificationAtOnce(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	f := r.refund(p, 50000)
	r.later(0)
	until(t, "done at WeChat", func() bool { x, _ := r.wx.Refund(f.OutRefundNo); return x.Status == wxsandbox.RefundSuccess })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := r.stepRefund(t.Context(), f.ID); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { _, _ = r.wx.Resend(p.OutTradeNo) })
	}
	wg.Wait()
	if got := r.refundState(f); got.State != RefundSuccess || r.get(p).RefundedFen != 50000 || r.count("refunded_success", p.ID) != 1 {
		t.Fatalf("%+v", got)
	}
}

func TestRefundClosedFreesTheMoney(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	r.fault("pay.refund", "closed", p.OutTradeNo, "", 1)
	a := r.refund(p, 50000)
	got := r.finished(a, RefundClosed)
	if got.Alert == "" || r.get(p).RefundedFen != 0 || r.count("refunded_closed", p.ID) != 1 {
		t.Fatalf("%+v", got)
	}
	b := r.refund(p, 50000) // under a new number
	if b.OutRefundNo == a.OutRefundNo {
		t.Fatal("a spent number is used again")
	}
	r.finished(b, RefundSuccess)
}

func TestN07AClosedRefundIsSentAgainOnce(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	r.fault("pay.refund", "closed", p.OutTradeNo, "", 1)
	a := r.refund(p, 50000)
	if _, err := r.Reissue(actor.With(t.Context(), actor.Job("test")), a.ID); !errors.Is(err, ErrNotFailed) {
		t.Fatal("a refund under way is sent again: ", err)
	}
	a = r.finished(a, RefundClosed)
	if r.get(p).Alert == "" {
		t.Fatal("nobody is told")
	}
	var wg sync.WaitGroup
	var again atomic.Pointer[Refund]
	var ok atomic.Int32
	for range 8 {
		wg.Go(func() {
			switch b, err := r.Reissue(actor.With(t.Context(), actor.Job("test")), a.ID); {
			case err == nil:
				ok.Add(1)
				again.Store(&b)
			case !errors.Is(err, ErrNotFailed) && !errors.Is(err, ErrRefundExceeds):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b := again.Load()
	if ok.Load() != 1 || b.OutRefundNo == a.OutRefundNo || b.SubjectID != a.SubjectID || b.SubjectKind != a.SubjectKind {
		t.Fatalf("%d sent again: %+v", ok.Load(), b)
	}
	r.finished(*b, RefundSuccess)
	if got := r.get(p); got.RefundedFen != 50000 || got.Alert != "" || r.count("refunded_pending", p.ID) != 1 || r.count("refunded_success", p.ID) != 1 {
		t.Fatalf("%+v", got)
	}
	if _, err := r.Reissue(actor.With(t.Context(), actor.Job("test")), a.ID); !errors.Is(err, ErrNotFailed) {
		t.Fatal(err)
	}
	if _, err := r.Reissue(actor.With(t.Context(), actor.Job("test")), b.ID); !errors.Is(err, ErrNotFailed) {
		t.Fatal("what went through is sent again: ", err)
	}
}

func TestRefundAbnormalIsVisibleAndMayEndWell(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	r.fault("pay.refund", "abnormal", p.OutTradeNo, "", 1)
	f := r.refund(p, 50000)
	got := r.finished(f, RefundAbnormal)
	if got.Alert == "" || r.get(p).Alert == "" || !got.DoneAt.IsZero() || r.count("refunded_abnormal", p.ID) != 1 {
		t.Fatalf("%+v", got)
	}
	if _, err := r.tryRefund(p, 1); !errors.Is(err, ErrRefundExceeds) {
		t.Fatal("an abnormal refund still holds its money: ", err)
	}
	// Somebody sends it to another account at the merchant platform.
	r.abnormal(got)
	until(t, "success", func() bool { r.later(7 * time.Hour); return r.refundState(f).State == RefundSuccess })
	if r.get(p).RefundedFen != 50000 || r.get(p).Alert != "" || r.count("refunded_success", p.ID) != 1 {
		t.Fatalf("%+v", r.get(p))
	}
}

func TestRefundNotificationMismatch(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	f := r.refund(p, 30000)
	r.fault("pay.notify", "wrong_amount", p.OutTradeNo, "", 2)
	r.later(0)
	until(t, "mismatching notification", func() bool { return strings.Contains(r.outcomes(p), outcomeMismatch) })
	until(t, "success by a later copy or by polling", func() bool { r.later(time.Minute); return r.refundState(f).State == RefundSuccess })
	if r.get(p).RefundedFen != 30000 || r.count("refunded_success", p.ID) != 1 {
		t.Fatalf("%+v", r.get(p))
	}
}
