package wxsandbox

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func (r *rig) fault(f Fault) {
	r.t.Helper()
	if _, err := r.SetFault(f); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) noteState(no string) string {
	for _, n := range r.Notifications() {
		if n.OutTradeNo == no {
			return n.State
		}
	}
	return ""
}

// The schedule is WeChat's, 24 h 4 min in all; it stops at the first 200 or 204.
func TestRetrySchedule(t *testing.T) {
	var sum time.Duration
	for _, d := range retrySchedule {
		sum += d
	}
	if sum != 24*time.Hour+4*time.Minute {
		t.Fatal(sum)
	}
	r := newRig(t)
	r.hook.status = func(n int) int {
		if n < 4 {
			return []int{500, 404, 302}[n-1]
		}
		return 200
	}
	r.paid("RETRY00001", 100)
	r.hook.wait(t, 4)
	until(t, "delivered", func() bool { return r.noteState("RETRY00001") == notifyDelivered })
	n := r.Notifications()[0]
	if len(n.Attempts) != 4 || n.Attempts[0].Status != 500 || n.Attempts[3].Status != 200 || n.Tries != 4 {
		t.Fatalf("%+v", n.Attempts)
	}
	if slices.Compact(slices.Clone(r.hook.ids))[0] != n.ID || len(slices.Compact(r.hook.ids)) != 1 {
		t.Fatal("retries must carry the same id", r.hook.ids)
	}
}

func TestRetriesEnd(t *testing.T) {
	r := newRig(t, func(o *Options) { o.NotifySpeedup = 1e7 })
	r.hook.status = func(int) int { return 500 }
	r.paid("GIVEUP0001", 100)
	until(t, "given up", func() bool { return r.noteState("GIVEUP0001") == notifyExhausted })
	if n := r.Notifications()[0]; len(n.Attempts) != 1+len(retrySchedule) {
		t.Fatal(len(n.Attempts))
	}
	// A resend by hand still reaches the merchant.
	r.hook.mu.Lock()
	r.hook.status = nil
	r.hook.mu.Unlock()
	if sent, err := r.Resend("GIVEUP0001"); err != nil || sent != 1 || r.noteState("GIVEUP0001") != notifyDelivered {
		t.Fatal(sent, err)
	}
	if _, err := r.Resend("UNKNOWN"); err == nil {
		t.Fatal("resent nothing")
	}
}

func TestLostNotification(t *testing.T) {
	r := newRig(t)
	r.do(r.raw("POST", "/v3/pay/transactions/jsapi", r.order("LOST000001")))
	if _, err := r.Pay(PayRequest{OutTradeNo: "LOST000001", PersonaID: "p1", Outcome: OutcomePayLoseNotice}); err != nil {
		t.Fatal(err)
	}
	if r.noteState("LOST000001") != notifyLost || len(r.hook.came) != 0 {
		t.Fatal("it was sent")
	}
	// Polling finds what the notification did not tell.
	if _, out, _ := r.do(r.raw("GET", "/v3/pay/transactions/out-trade-no/LOST000001?mchid="+r.c.MchID, nil)); out["trade_state"] != StateSuccess {
		t.Fatal(out)
	}
	r.fault(Fault{Target: "pay.notify", Kind: "drop", Count: 2})
	r.paid("LOST000002", 100)
	r.hook.wait(t, 1)
	until(t, "third attempt", func() bool { return r.noteState("LOST000002") == notifyDelivered })
	if n := r.Notifications()[1]; len(n.Attempts) != 3 || n.Attempts[0].Status != 0 || n.Attempts[0].Fault != "drop" {
		t.Fatalf("%+v", n.Attempts)
	}
}

func TestNotificationFaults(t *testing.T) {
	r := newRig(t)
	last := func() (amount int64, mchid string) {
		r.hook.mu.Lock()
		defer r.hook.mu.Unlock()
		tx := r.hook.good[len(r.hook.good)-1]
		return *tx.Amount.Total, *tx.Mchid
	}
	t.Run("forge", func(t *testing.T) {
		r.fault(Fault{Target: "pay.notify", Kind: "forge", Count: 1})
		r.paid("FORGE00001", 100)
		r.hook.wait(t, 2) // the forgery is refused, the true one follows on schedule
		if len(r.hook.bad) != 1 || len(r.hook.good) != 1 {
			t.Fatal(r.hook.bad, r.hook.good)
		}
	})
	t.Run("wrong amount", func(t *testing.T) {
		r.fault(Fault{Target: "pay.notify", Kind: "wrong_amount", Count: 1, Value: "1"})
		r.paid("AMOUNT0001", 100)
		r.hook.wait(t, 1)
		if fen, _ := last(); fen != 1 {
			t.Fatal(fen)
		}
		r.hook.wait(t, 1) // the lie was taken; the truth is still owed
		if fen, _ := last(); fen != 100 {
			t.Fatal(fen)
		}
		if o, _ := r.Order("AMOUNT0001"); o.PaidFen != 100 {
			t.Fatal("a fault changed the order")
		}
	})
	t.Run("wrong merchant", func(t *testing.T) {
		r.fault(Fault{Target: "pay.notify", Kind: "wrong_mchid", Count: 1})
		r.paid("MCHID00001", 100)
		r.hook.wait(t, 1)
		if _, mchid := last(); mchid == r.c.MchID {
			t.Fatal(mchid)
		}
		r.hook.wait(t, 1)
	})
	t.Run("duplicate", func(t *testing.T) {
		r.fault(Fault{Target: "pay.notify", Kind: "duplicate", Count: 1, Value: "7"})
		r.paid("DOUBLE0001", 100)
		r.hook.wait(t, 7)
		n := 0
		for _, no := range r.hook.orders() {
			if no == "DOUBLE0001" {
				n++
			}
		}
		if n != 7 {
			t.Fatal(n)
		}
	})
	t.Run("reorder", func(t *testing.T) {
		// What is still on its way from before would release the held one at once.
		until(t, "quiet", func() bool {
			return r.noteState("DOUBLE0001") == notifyDelivered && r.noteState("MCHID00001") == notifyDelivered
		})
		r.fault(Fault{Target: "pay.notify", Kind: "reorder", Count: 1})
		r.paid("FIRST00001", 100)
		until(t, "held back", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.held) == 1 })
		r.paid("SECOND0001", 100)
		r.hook.wait(t, 2)
		got := r.hook.orders()
		if got = got[len(got)-2:]; got[0] != "SECOND0001" || got[1] != "FIRST00001" {
			t.Fatal(got)
		}
	})
	t.Run("delay", func(t *testing.T) {
		r.fault(Fault{Target: "pay.notify", Kind: "delay", Count: 1, DelayMs: 150, Path: "DELAY"})
		start := time.Now()
		r.paid("DELAY00001", 100)
		r.hook.wait(t, 1)
		if time.Since(start) < 150*time.Millisecond {
			t.Fatal("not delayed")
		}
	})
	if left := r.Faults(); len(left) != 0 {
		t.Fatal("faults left", left)
	}
}

func TestSignTestProbe(t *testing.T) {
	r := newRig(t)
	status, err := r.SignTest(r.srv.URL + "/hooks/wxpay")
	if err != nil || status != 401 || len(r.hook.bad) != 1 {
		t.Fatal(status, err, r.hook.bad)
	}
	if _, err := r.SignTest("file:///etc/passwd"); err == nil {
		t.Fatal("accepted a file")
	}
}

// A slow or hanging merchant does not keep Close waiting, and what was owed is owed still after the next start.
func TestCloseDuringDelivery(t *testing.T) {
	file := t.TempDir() + "/state.json"
	r := newRig(t, func(o *Options) { o.StateFile = file })
	release := make(chan struct{})
	arrived := make(chan struct{}, 10)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		w.WriteHeader(204)
	}))
	defer slow.Close()
	body := r.order("SLOW000001")
	body["notify_url"] = slow.URL
	r.do(r.raw("POST", "/v3/pay/transactions/jsapi", body))
	if _, err := r.Pay(PayRequest{OutTradeNo: "SLOW000001", PersonaID: "p1"}); err != nil {
		t.Fatal(err)
	}
	<-arrived
	start := time.Now()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Fatal("Close took", d)
	}
	close(release)
	again := newRig(t, func(o *Options) { o.StateFile = file })
	until(t, "delivered by the next process", func() bool { return again.noteState("SLOW000001") == notifyDelivered })
}

func TestPersistence(t *testing.T) {
	file := t.TempDir() + "/state.json"
	keep := func(o *Options) { o.StateFile = file }
	a := newRig(t, keep)
	a.paid("KEEP000001", 50000)
	a.hook.wait(t, 1)
	until(t, "delivered", func() bool { return a.noteState("KEEP000001") == notifyDelivered })
	p, err := a.AddPersona(Persona{Nickname: "新车主", Phone: "13900000001"})
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Grant(p.ID, tplPaid, 3)
	used, _ := a.LoginCode("p1", AppMP)
	if _, err := a.mp().GetAuth().Code2Session(used); err != nil {
		t.Fatal(err)
	}
	tok := mustToken(t, a)
	open := a.order("KEEP000002")
	_, pre, _ := a.do(a.raw("POST", "/v3/pay/transactions/jsapi", open))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal("second Close", err)
	}
	b := newRig(t, keep)
	if o, ok := b.Order("KEEP000001"); !ok || o.PaidFen != 50000 || o.PaidBy != "p1" {
		t.Fatalf("%+v", o)
	}
	if b.Grants(p.ID)[tplPaid] != 3 || b.openID(p.ID, AppMP) != p.OpenIDs[AppMP] || len(b.Notifications()) != 1 {
		t.Fatal("persona, grants or notifications lost")
	}
	if res, _ := b.mp().GetAuth().Code2Session(used); res.ErrCode != 40163 {
		t.Fatal("a used code came back to life")
	}
	if again := mustToken(t, b); again != tok {
		t.Fatal("the stable token changed")
	}
	if _, err := b.PayByPersona(pre["prepay_id"].(string), "p1", OutcomePay); err != nil {
		t.Fatal(err)
	}
	// An unreadable file is an error, not an empty world.
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	c, _ := testCreds()
	bad := t.TempDir() + "/bad.json"
	writeFile(t, bad, "{half")
	if _, err := New(Options{PublicURL: "http://127.0.0.1/s", Now: time.Now, StateFile: bad}, c); err == nil {
		t.Fatal("accepted half a state file")
	}
}

func TestSavedWithoutClose(t *testing.T) {
	file := t.TempDir() + "/state.json"
	r := newRig(t, func(o *Options) { o.StateFile = file })
	r.paid("CRASH00001", 100)
	until(t, "saved", func() bool { return bytes.Contains(readFile(file), []byte("CRASH00001")) })
}
