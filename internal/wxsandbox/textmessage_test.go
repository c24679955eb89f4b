package wxsandbox

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	tick "github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/sms"
)

const smsPhone = "13800010001" // p1's

func withSMS(o *Options) {
	o.SMS.Signs = []string{"亮车洗护"}
	o.SMS.Templates = []SMSTemplate{{ID: "1000001", Text: "您的验证码是${code}，${minutes}分钟内有效。", Code: true}, {ID: "1000002", Text: "${name}，您的爱车已洗好。"}}
}

// smsRig is a rig with both providers' adapters, whose clock may differ from the platform's.
func smsRig(t *testing.T) (*rig, *tick.Manual, map[string]sms.Sender) {
	t.Helper()
	r := newRig(t, withSMS)
	at := tick.NewManual(r.clock.Now())
	out := map[string]sms.Sender{}
	for _, p := range []string{sms.Tencent, sms.Aliyun} {
		s, err := sms.New(sms.Config{Provider: p, AppID: r.o.SMS.AppID, SecretID: r.o.SMS.SecretID, SecretKey: r.o.SMS.SecretKey, Sign: "亮车洗护",
			Endpoint: r.srv.URL + "/sandbox/sms/" + p, Timeout: 2 * time.Second, Clock: at})
		if err != nil {
			t.Fatal(err)
		}
		out[p] = s
	}
	return r, at, out
}

func codeMessage() sms.Message {
	return sms.Message{Phone: smsPhone, TemplateID: "1000001", Params: []sms.Param{{Name: "code", Value: "135790"}, {Name: "minutes", Value: "5"}}, Ref: "r1"}
}

func TestTextMessageArrives(t *testing.T) {
	r, at, senders := smsRig(t)
	for name, s := range senders {
		id, err := s.Send(t.Context(), codeMessage())
		if err != nil || id == "" {
			t.Fatal(name, id, err)
		}
		got := r.Texts(smsPhone)
		x := got[len(got)-1]
		if x.Text != "【亮车洗护】您的验证码是135790，5分钟内有效。" || x.Values["code"] != "135790" || x.Ref != "r1" || x.Provider != name || x.BizID != id {
			t.Errorf("%s: %+v", name, x)
		}
		// The second one within thirty seconds is refused, as the providers do for codes.
		if _, err := s.Send(t.Context(), codeMessage()); sms.ClassOf(err) != sms.Limited {
			t.Errorf("%s: %v", name, err)
		}
		r.clock.Add(time.Minute)
		at.Advance(time.Minute)
	}
}

func TestTextMessageRefusals(t *testing.T) {
	r, at, senders := smsRig(t)
	for name, s := range senders {
		for what, change := range map[string]func(*sms.Message){
			"template":       func(m *sms.Message) { m.TemplateID = "1000009" },
			"sign":           func(m *sms.Message) { m.Sign = "别人" },
			"code no digits": func(m *sms.Message) { m.Params[0].Value = "13579a" },
			"missing value":  func(m *sms.Message) { m.Params = m.Params[:1] },
			"value too long": func(m *sms.Message) {
				m.TemplateID, m.Params = "1000002", []sms.Param{{Name: "name", Value: strings.Repeat("王", 36)}}
			},
			"value too empty": func(m *sms.Message) { m.TemplateID, m.Params = "1000002", []sms.Param{{Name: "name", Value: ""}} },
		} {
			m := codeMessage()
			m.Params = append([]sms.Param{}, m.Params...)
			change(&m)
			if _, err := s.Send(t.Context(), m); sms.ClassOf(err) != sms.Rejected {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
		// A clock that is off by more than the provider's window.
		at.Advance(-20 * time.Minute)
		if _, err := s.Send(t.Context(), codeMessage()); sms.ClassOf(err) != sms.Unavailable {
			t.Errorf("%s stale: %v", name, err)
		}
		at.Advance(20 * time.Minute)
		// Another key.
		other, err := sms.New(sms.Config{Provider: name, AppID: r.o.SMS.AppID, SecretID: r.o.SMS.SecretID, SecretKey: "00000000000000000000", Sign: "亮车洗护",
			Endpoint: r.srv.URL + "/sandbox/sms/" + name, Clock: at})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Send(t.Context(), codeMessage()); sms.ClassOf(err) != sms.Rejected {
			t.Errorf("%s forged: %v", name, err)
		}
	}
	if got := r.Texts(""); len(got) > 0 {
		t.Errorf("refused ones arrived: %+v", got)
	}
}

// What was signed cannot be changed or sent twice.
func TestTextMessageTamperedAndReplayed(t *testing.T) {
	r, _, _ := smsRig(t)
	var last *http.Request
	var lastBody string
	grab := func(provider string) {
		t.Helper()
		s, err := sms.New(sms.Config{Provider: provider, AppID: r.o.SMS.AppID, SecretID: r.o.SMS.SecretID, SecretKey: r.o.SMS.SecretKey, Sign: "亮车洗护",
			Endpoint: r.srv.URL + "/grab/sms/" + provider, Clock: tick.NewManual(r.clock.Now())})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Send(t.Context(), codeMessage())
	}
	r.mux.HandleFunc("/grab/", func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		last, lastBody = q, string(b)
	})
	send := func(change func(*http.Request, *string)) string {
		t.Helper()
		body := lastBody
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.srv.URL+strings.Replace(last.URL.String(), "/grab/", "/sandbox/", 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header = last.Header.Clone()
		change(q, &body)
		q.Body, q.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	grab(sms.Tencent)
	if got := send(func(_ *http.Request, body *string) { *body = strings.Replace(*body, smsPhone, "13800010002", 1) }); !strings.Contains(got, "SignatureFailure") {
		t.Error(got)
	}
	if got := send(func(q *http.Request, _ *string) { q.Header.Del("Authorization") }); !strings.Contains(got, "InvalidAuthorization") {
		t.Error(got)
	}
	if got := send(func(*http.Request, *string) {}); !strings.Contains(got, `"Ok"`) {
		t.Error(got)
	}
	r.clock.Add(time.Minute)
	grab(sms.Aliyun)
	if got := send(func(q *http.Request, _ *string) {
		q.URL.RawQuery = strings.Replace(q.URL.RawQuery, smsPhone, "13800010002", 1)
	}); !strings.Contains(got, "SignatureDoesNotMatch") {
		t.Error(got)
	}
	if got := send(func(*http.Request, *string) {}); !strings.Contains(got, `"OK"`) {
		t.Error(got)
	}
	if got := send(func(*http.Request, *string) {}); !strings.Contains(got, "SignatureNonceUsed") {
		t.Error(got)
	}
}

func TestTextMessageFaults(t *testing.T) {
	r, at, senders := smsRig(t)
	for name, s := range senders {
		for kind, want := range map[string]sms.Class{"limit": sms.Limited, "reject": sms.Rejected, "drop": sms.Unavailable, "drop_after": sms.Unavailable, "status": sms.Unavailable, "lose": ""} {
			before := len(r.Texts(smsPhone))
			if _, err := r.SetFault(Fault{Target: "sms", Kind: kind, Count: 1, Path: "/sms/" + name}); err != nil {
				t.Fatal(err)
			}
			_, err := s.Send(t.Context(), codeMessage())
			if sms.ClassOf(err) != want {
				t.Errorf("%s %s: %v", name, kind, err)
			}
			if arrived := len(r.Texts(smsPhone)) - before; arrived != map[bool]int{true: 1}[kind == "drop_after"] {
				t.Errorf("%s %s: %d arrived", name, kind, arrived)
			}
			r.clock.Add(time.Minute)
			at.Advance(time.Minute)
		}
	}
}
