package wxsandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	notifyTimeout   = 5 * time.Second // the merchant has five seconds to answer
	notifyPending   = "pending"
	notifyDelivered = "delivered"
	notifyExhausted = "exhausted"
	notifyLost      = "lost"
	reorderHold     = 3 * time.Second
	excerpt         = 512
)

// retrySchedule is WeChat Pay's: the waits between one attempt and the next.
var retrySchedule = []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 30 * time.Minute,
	30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}

// notify records a fact and starts telling the merchant. With send false it is lost on purpose. The caller holds mu.
func (s *Sandbox) notify(n *Notification, send bool) {
	n.ID = fmt.Sprintf("%s-%s-%s-%s-%s", randomHex(4), randomHex(2), randomHex(2), randomHex(2), randomHex(6))
	n.CreatedAt, n.State, n.Attempts = s.o.Now(), notifyPending, []Attempt{}
	if !send {
		n.State = notifyLost
	}
	s.st.Notifications = append(s.st.Notifications, n)
	s.touch()
	if send {
		s.startWorker(n, 0)
	}
}

// resume continues, after a restart, what was under way.
func (s *Sandbox) resume() {
	for _, n := range s.st.Notifications {
		if n.State == notifyPending {
			wait := time.Duration(0)
			if n.Tries > 0 && n.Tries <= len(retrySchedule) {
				wait = s.sped(retrySchedule[n.Tries-1])
			}
			s.startWorker(n, wait)
		}
	}
	for _, f := range s.st.Refunds {
		if f.Status == RefundProcessing {
			s.finishLater(f)
		}
	}
}

func (s *Sandbox) sped(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.o.NotifySpeedup)
}

// startWorker follows the retry schedule until the merchant has confirmed.
func (s *Sandbox) startWorker(n *Notification, wait time.Duration) {
	s.spawn(func() {
		for s.pause(wait) {
			s.mu.Lock()
			owed := n.State == notifyPending // a resend or a reset may have ended it meanwhile
			s.mu.Unlock()
			if !owed {
				return
			}
			ok := s.attempt(n)
			if !ok && s.ctx.Err() != nil {
				return // an attempt cut off by Close does not count; the next start repeats it
			}
			s.mu.Lock()
			n.Tries++
			switch {
			case n.State != notifyPending:
			case ok:
				n.State = notifyDelivered
			case n.Tries > len(retrySchedule):
				n.State = notifyExhausted
			}
			more := n.State == notifyPending
			if more {
				wait = s.sped(retrySchedule[n.Tries-1])
			}
			s.touch()
			s.mu.Unlock()
			if !more {
				return
			}
		}
	})
}

// attempt is one scheduled delivery with the faults that hit it; true means the merchant has confirmed.
func (s *Sandbox) attempt(n *Notification) bool {
	var names []string
	copies, forge, plain := 1, false, n.Plaintext
	seen := map[int]bool{}
	for {
		s.mu.Lock()
		f := s.takeFaultLocked("pay.notify", n.OutTradeNo, seen, faultKinds["pay.notify"]...)
		s.mu.Unlock()
		if f == nil {
			break
		}
		seen[f.ID] = true
		names = append(names, f.Kind)
		switch f.Kind {
		case "delay":
			if !s.pause(time.Duration(f.DelayMs) * time.Millisecond) {
				return false
			}
		case "drop":
			s.record(n, Attempt{At: s.o.Now(), Error: "丢失：未送达商户", Fault: strings.Join(names, "+")})
			return false
		case "duplicate":
			copies = 3
			if k, err := strconv.Atoi(string(f.Value)); err == nil && k > 0 && k <= 50 {
				copies = k
			}
		case "reorder":
			s.holdBack(n.ID, time.Duration(f.DelayMs)*time.Millisecond)
		case "forge":
			forge = true
		default:
			plain = alter(plain, f)
		}
	}
	results := make([]Attempt, copies)
	var wg sync.WaitGroup
	for i := range copies {
		wg.Go(func() { results[i] = s.send(n, plain, forge) })
	}
	wg.Wait()
	ok := false
	for _, a := range results {
		a.Fault = strings.Join(names, "+")
		s.record(n, a)
		ok = ok || a.Status == http.StatusOK || a.Status == http.StatusNoContent
	}
	s.releaseHeld(n.ID)
	// A forged or altered copy that the merchant took is not the fact: the real one is still owed.
	return ok && !forge && bytes.Equal(plain, n.Plaintext)
}

// holdBack waits until another notification has gone out, or the hold is over.
func (s *Sandbox) holdBack(id string, d time.Duration) {
	if d <= 0 {
		d = reorderHold
	}
	ch := make(chan struct{})
	s.mu.Lock()
	s.held[id] = ch
	s.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ch:
	case <-t.C:
	case <-s.ctx.Done():
	}
	s.mu.Lock()
	delete(s.held, id)
	s.mu.Unlock()
}

func (s *Sandbox) releaseHeld(except string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, ch := range s.held {
		if id != except {
			close(ch)
			delete(s.held, id)
		}
	}
}

// alter changes what the notification says; it is signed properly all the same.
func alter(plain json.RawMessage, f *Fault) json.RawMessage {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return plain
	}
	switch f.Kind {
	case "wrong_amount":
		if a, ok := m["amount"].(map[string]any); ok {
			for _, k := range []string{"total", "payer_total", "refund", "payer_refund"} {
				if n, ok := a[k].(json.Number); ok {
					v, _ := n.Int64() // our own number
					a[k] = v + 1
					if x, err := strconv.ParseInt(string(f.Value), 10, 64); err == nil {
						a[k] = x
					}
				}
			}
		}
	case "wrong_mchid":
		m["mchid"] = "1999000000"
		if f.Value != "" {
			m["mchid"] = string(f.Value)
		}
	case "wrong_appid":
		m["appid"] = "wx0000000000000000"
		if f.Value != "" {
			m["appid"] = string(f.Value)
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		return plain
	}
	return out
}

// send delivers one copy.
func (s *Sandbox) send(n *Notification, plain json.RawMessage, forge bool) Attempt {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.ctx.Done():
		return Attempt{At: s.o.Now(), Error: "沙箱已关闭"}
	}
	a := Attempt{At: s.o.Now()}
	res, err := s.encrypt(plain, n.Original)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	res.OriginalType = n.Original
	body, err := json.Marshal(map[string]any{
		"id": n.ID, "create_time": n.CreatedAt.In(cst).Format(payTimeStyle), "resource_type": "encrypt-resource",
		"event_type": n.EventType, "summary": n.Summary, "resource": res,
	})
	if err != nil {
		a.Error = err.Error()
		return a
	}
	a.Status, a.Body, a.Error = s.post(n.URL, body, func(h http.Header) {
		if forge {
			// A right-looking signature over something else.
			h.Set("Wechatpay-Nonce", randomHex(16))
		}
	})
	return a
}

func (s *Sandbox) post(url string, body []byte, change func(http.Header)) (status int, answer, failure string) {
	ctx, cancel := context.WithTimeout(s.ctx, notifyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	req.Header.Set("Request-ID", "08"+strings.ToUpper(randomHex(18)))
	if err := s.signHeader(req.Header, body); err != nil {
		return 0, "", err.Error()
	}
	change(req.Header)
	resp, err := s.o.HTTPClient.Do(req)
	if err != nil {
		return 0, "", err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, excerpt)) // what arrived is what the history shows
	return resp.StatusCode, strings.ToValidUTF8(string(b), "�"), ""
}

func (s *Sandbox) record(n *Notification, a Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Attempts = append(n.Attempts, a); len(n.Attempts) > 200 {
		n.Attempts = n.Attempts[1:]
	}
	s.touch()
}

// Notifications lists all notifications, oldest first.
func (s *Sandbox) Notifications() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Notification, 0, len(s.st.Notifications))
	for _, n := range s.st.Notifications {
		c := *n
		c.Attempts = slices.Clone(n.Attempts)
		out = append(out, c)
	}
	return out
}

// Resend delivers every notification of an order once more, at once, also one that was lost or already confirmed:
// WeChat Pay repeats after success too. It waits for the answers and returns how many were sent.
func (s *Sandbox) Resend(outTradeNo string) (int, error) {
	s.mu.Lock()
	var list []*Notification
	for _, n := range s.st.Notifications {
		if n.OutTradeNo == outTradeNo {
			list = append(list, n)
		}
	}
	s.mu.Unlock()
	if len(list) == 0 {
		return 0, errors.New("wxsandbox: the order has no notification")
	}
	for _, n := range list {
		if s.attempt(n) {
			s.mu.Lock()
			n.State = notifyDelivered
			s.touch()
			s.mu.Unlock()
		}
	}
	return len(list), nil
}

// SignTest sends WeChat Pay's probe, whose signature must be refused, and returns the merchant's HTTP status; the
// right answer is 4xx. It refuses an address that is not http(s).
func (s *Sandbox) SignTest(url string) (int, error) {
	if e := checkNotifyURL(url, true); e != nil {
		return 0, errors.New("wxsandbox: " + e.Message)
	}
	n := &Notification{ID: "SIGNTEST-" + randomHex(8), Original: "transaction", CreatedAt: s.o.Now()}
	res, err := s.encrypt([]byte(`{}`), "transaction")
	if err != nil {
		return 0, err
	}
	body, err := json.Marshal(map[string]any{"id": n.ID, "create_time": n.CreatedAt.In(cst).Format(payTimeStyle), "resource_type": "encrypt-resource",
		"event_type": "TRANSACTION.SUCCESS", "summary": "支付成功", "resource": res})
	if err != nil {
		return 0, err
	}
	status, _, failure := s.post(url, body, func(h http.Header) {
		h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature"))
	})
	if failure != "" {
		return 0, errors.New("wxsandbox: " + failure)
	}
	return status, nil
}
