package oa

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func get(t *testing.T, to string) (int, string) {
	t.Helper()
	resp, err := http.Get(to)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(b)
}

func TestWeChatChecksTheAddress(t *testing.T) {
	r := newRig(t)
	echo := func(q url.Values) { q.Set("echostr", "5927782489442352469") }
	if status, body := get(t, r.srv.URL+"/hooks/oa"+r.query("1", echo)); status != 200 || body != "5927782489442352469" {
		t.Fatal(status, body)
	}
	for name, change := range map[string]func(url.Values){
		"forged":    func(q url.Values) { q.Set("signature", strings.Repeat("0", 40)) },
		"unsigned":  func(q url.Values) { q.Del("signature") },
		"old":       func(q url.Values) { old(r, q, -6*time.Minute) },
		"of future": func(q url.Values) { old(r, q, 6*time.Minute) },
	} {
		if status, body := get(t, r.srv.URL+"/hooks/oa"+r.query("1", echo, change)); status != 403 || strings.Contains(body, "592778") {
			t.Error(name, status, body)
		}
	}
	if status, _ := get(t, r.srv.URL+"/hooks/oa"+r.query("1", func(q url.Values) { q.Set("echostr", "<script>") })); status != 400 {
		t.Error("an echo that is none:", status)
	}
}

// old signs for another instant.
func old(r *rig, q url.Values, d time.Duration) {
	stamp := fmt.Sprint(r.clk.Now().Add(d).Unix())
	q.Set("timestamp", stamp)
	q.Set("signature", sign(r.c.OfficialAccount.Token, stamp, q.Get("nonce")))
}

func TestFollowingIsGreetedInBothModes(t *testing.T) {
	for _, plain := range []bool{true, false} {
		t.Run(fmt.Sprint("plain=", plain), func(t *testing.T) {
			r := newRig(t)
			r.wx.PushPlain(plain)
			must(t, r.wx.Scan("p3", "s-door"))
			r.settle()
			f := r.follower(r.openID("p3"))
			if f.State != Following || f.FirstScene != "s-door" || f.UnionID != r.persona("p3").UnionID || f.Follows != 1 {
				t.Fatalf("%+v", f)
			}
			chat := r.wx.Chat("p3")
			if last := chat[len(chat)-1]; last.Side != "oa" || !strings.Contains(last.Text, "欢迎关注亮车洗护") || !strings.Contains(last.Text, `data-miniprogram-path="pages/home/index"`) {
				t.Fatalf("%+v", chat)
			}
			must(t, r.wx.Text("p3", "洗车🚗𠮷多少钱"))
			r.settle()
			if got := r.count(`SELECT COUNT(*) FROM oa_inbox WHERE kind = 'text' AND content = ?`, "洗车🚗𠮷多少钱"); got != 1 {
				t.Fatal("the text was not kept as it came")
			}
			if chat = r.wx.Chat("p3"); chat[len(chat)-1].Side != "me" {
				t.Fatal("nothing is said where no reply is set:", chat[len(chat)-1])
			}
		})
	}
}

func TestN25EventsAreHandledOnce(t *testing.T) {
	r := newRig(t)
	_, err := r.wx.SetFault(wxsandbox.Fault{Target: "push", Kind: "duplicate", Value: "8"})
	must(t, err)
	for range 3 {
		must(t, r.wx.SetFollows("p3", true))
		r.settle()
		r.clk.Advance(2 * time.Second)
		must(t, r.wx.SetFollows("p3", false))
		r.settle()
		r.clk.Advance(2 * time.Second)
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_inbox`); n != 6 {
		t.Fatal("6 events, 8 deliveries of each, kept:", n)
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_moves`); n != 6 {
		t.Fatal(n, "moves")
	}
	if f := r.follower(r.openID("p3")); f.Follows != 3 || f.State != Left {
		t.Fatalf("%+v", f)
	}
	// WeChat repeats with the same content under another nonce, and somebody repeats the very delivery.
	r.wx.ClearFaults()
	body, q := r.event("oSomebody", "subscribe", ""), r.query("n1")
	for i, query := range []string{q, q, r.query("n2"), r.query("n3")} {
		if status, answer := r.post(query, body); status != 200 || !strings.Contains(answer, "欢迎") {
			t.Fatal("delivery", i, status, answer)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_inbox WHERE openid = 'oSomebody'`); n != 1 {
		t.Fatal(n)
	}
	// The next second it is another event, and another key is one in the same second.
	r.clk.Advance(time.Second)
	for i, b := range [][]byte{r.event("oSomebody", "subscribe", ""), r.event("oSomebody", "VIEW", "https://a"), r.event("oSomebody", "VIEW", "https://b")} {
		if status, _ := r.post(r.query(fmt.Sprint("m", i)), b); status != 200 {
			t.Fatal(status)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_inbox WHERE openid = 'oSomebody'`); n != 4 {
		t.Fatal(n)
	}
}

func TestN24FollowStateFollowsWeChatsOwnOrder(t *testing.T) {
	r := newRig(t)
	open := r.openID("p3")
	_, err := r.wx.SetFault(wxsandbox.Fault{Target: "push", Kind: "reorder", Path: "unsubscribe", Count: 1, DelayMs: 600})
	must(t, err)
	must(t, r.wx.SetFollows("p3", true))
	r.settle()
	r.clk.Advance(time.Second)
	must(t, r.wx.SetFollows("p3", false)) // held back
	r.clk.Advance(time.Second)
	must(t, r.wx.SetFollows("p3", true))
	r.settle()
	if f := r.follower(open); f.State != Following || f.Follows != 2 {
		t.Fatalf("an unsubscribe that came late undid the follow after it: %+v", f)
	}
	if ok, known, err := r.Following(t.Context(), open); !ok || !known || err != nil {
		t.Fatal(ok, known, err)
	}
	// Of whom no event told, WeChat is asked, once.
	before := r.calls["/cgi-bin/user/info"]
	for range 3 {
		ok, _, err := r.Following(t.Context(), r.openID("p1"))
		must(t, err)
		no, _, err := r.Following(t.Context(), r.openID("p5"))
		must(t, err)
		if !ok || no {
			t.Fatal("p1 follows and p5 does not:", ok, no)
		}
	}
	if n := r.calls["/cgi-bin/user/info"] - before; n != 2 {
		t.Fatal("asked", n, "times")
	}
	// The mini-program's openid is nobody here (40003).
	if ok, known, err := r.Following(t.Context(), r.persona("p1").OpenIDs[wxsandbox.AppMP]); ok || !known || err != nil {
		t.Fatal(ok, known, err)
	}
	// As long as WeChat does not answer that is not known, and it is asked again.
	_, err = r.wx.SetFault(wxsandbox.Fault{Target: "api", Kind: "status", Path: "/cgi-bin/user/info", Count: 1})
	must(t, err)
	if ok, known, err := r.Following(t.Context(), r.openID("p2")); ok || known || err != nil {
		t.Fatal(ok, known, err)
	}
	if ok, known, err := r.Following(t.Context(), r.openID("p2")); !ok || !known || err != nil {
		t.Fatal(ok, known, err)
	}
}

func TestBadPushes(t *testing.T) {
	r := newRig(t)
	text := func(content string) []byte {
		return fmt.Appendf(nil, `<xml><ToUserName>a</ToUserName><FromUserName>oBad</FromUserName><CreateTime>%d</CreateTime><MsgType>text</MsgType><MsgId>77</MsgId><Content>%s</Content></xml>`, r.clk.Now().Unix(), content)
	}
	bomb := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>`
	big := bytes.Repeat([]byte("a"), 1<<20)
	for i, c := range []struct {
		name   string
		query  string
		body   []byte
		status int
	}{
		{"forged", r.query("1", func(q url.Values) { q.Set("signature", sign("guess", q.Get("timestamp"), "1")) }), text("x"), 403},
		{"another nonce than was signed", r.query("2", func(q url.Values) { q.Set("nonce", "22") }), text("x"), 403},
		{"no nonce", r.query("", func(q url.Values) { q.Del("nonce") }), text("x"), 403},
		{"six minutes old", r.query("3", func(q url.Values) { old(r, q, -6*time.Minute) }), text("x"), 403},
		{"forged and 1 MB", r.query("4", func(q url.Values) { q.Set("signature", "x") }), big, 403},
		{"1 MB", r.query("5"), big, 413},
		{"one byte too much", r.query("6"), bytes.Repeat([]byte(" "), wechat.MaxPush+1), 413},
		{"a document type", r.query("7"), append([]byte(bomb), text("x")...), 400},
		{"an entity of its own", r.query("8"), text("&lol2;"), 400},
		{"an external entity", r.query("9"), append([]byte(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`), text("&e;")...), 400},
		{"no XML", r.query("10"), []byte("hello"), 400},
		{"empty", r.query("11"), nil, 400},
		{"cut off", r.query("12"), text("x")[:40], 400},
		{"two roots", r.query("13"), append(text("x"), text("y")...), 400},
		{"deep", r.query("14"), []byte("<xml>" + strings.Repeat("<a>", 500) + strings.Repeat("</a>", 500) + "</xml>"), 400},
		{"not UTF-8", r.query("15"), text("\xff\xfe"), 400},
		{"another encoding", r.query("16"), append([]byte(`<?xml version="1.0" encoding="GBK"?>`), text("x")...), 400},
		{"no type", r.query("17"), []byte(`<xml><FromUserName>o</FromUserName><CreateTime>1</CreateTime></xml>`), 400},
		{"no time", r.query("18"), []byte(`<xml><FromUserName>o</FromUserName><MsgType>text</MsgType></xml>`), 400},
		{"a number that is none", r.query("19"), []byte(`<xml><CreateTime>99999999999999999999</CreateTime><MsgType>text</MsgType></xml>`), 400},
		{"encrypted, unsigned", r.query("20", func(q url.Values) { q.Set("encrypt_type", "aes") }), []byte(`<xml><Encrypt>AAAA</Encrypt></xml>`), 403},
		{"encrypted, signed nonsense", r.query("21", func(q url.Values) {
			q.Set("encrypt_type", "aes")
			q.Set("msg_signature", sign(r.c.OfficialAccount.Token, q.Get("timestamp"), "21", "AAAA"))
		}), []byte(`<xml><Encrypt>AAAA</Encrypt></xml>`), 403},
	} {
		if status, _ := r.post(c.query, c.body); status != c.status {
			t.Errorf("%d %s: %d, want %d", i, c.name, status, c.status)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_inbox`); n != 0 {
		t.Fatal("something bad was kept:", n)
	}
	// A captured address is good for one content only.
	q := r.query("30")
	if status, _ := r.post(q, text("one")); status != 200 {
		t.Fatal(status)
	}
	if status, _ := r.post(q, r.event("oThief", "subscribe", "qrscene_x")); status != 403 {
		t.Fatal("a replay with other content:", status)
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_inbox WHERE openid = 'oThief'`); n != 0 {
		t.Fatal("it was kept")
	}
	// Somebody else's encrypted push, and a forgery, by the sandbox.
	r.wx.PushPlain(false)
	for _, kind := range []string{"wrong_appid", "forge"} {
		_, err := r.wx.SetFault(wxsandbox.Fault{Target: "push", Kind: kind, Count: 1})
		must(t, err)
		must(t, r.wx.PushEvent(wxsandbox.AppOA, "p1", "LOCATION", nil))
		r.settle()
		tries := r.wx.Pushes()
		if a := tries[len(tries)-1].Attempts; len(a) != 2 || a[0].Status != 403 || a[1].Status != 200 {
			t.Fatalf("%s: %+v", kind, a)
		}
		r.clk.Advance(time.Second)
	}
}

func TestUnknownEventsAreKept(t *testing.T) {
	r := newRig(t)
	must(t, r.wx.PushEvent(wxsandbox.AppOA, "p1", "kf_create_session", map[string]string{"KfAccount": "a@b", "MsgId": "no number", "Precision": "x"}))
	r.settle()
	list := r.wx.Pushes()
	if a := list[0].Attempts; len(a) != 1 || a[0].Status != 200 || a[0].Body != "success" {
		t.Fatalf("%+v", a)
	}
	rows, err := readArrivals(t.Context(), r.db, stateKept, "", "", 10)
	must(t, err)
	if len(rows) != 1 || !strings.Contains(rows[0].Body, "a@b") {
		t.Fatalf("%+v", rows)
	}
	// A mini-program pushes to its own address, also in JSON; a forgery that is encrypted is refused before it is decrypted (trap 11).
	must(t, r.wx.PushEvent(wxsandbox.AppMP, "p1", "weapp_audit_success", nil))
	r.settle()
	if n := r.count(`SELECT COUNT(*) FROM oa_inbox WHERE app = 'mini_program'`); n != 1 {
		t.Fatal(n)
	}
	_, err = r.wx.SetFault(wxsandbox.Fault{Target: "push", Kind: "forge", Count: 1})
	must(t, err)
	must(t, r.wx.PushEvent(wxsandbox.AppMP, "p1", "weapp_audit_delay", nil))
	r.settle()
	if list = r.wx.Pushes(); list[len(list)-1].Attempts[0].Status != 403 {
		t.Fatalf("%+v", list[len(list)-1])
	}
	stamp := fmt.Sprint(r.clk.Now().Unix())
	q := url.Values{"timestamp": {stamp}, "nonce": {"j1"}, "signature": {sign(r.c.MiniProgram.Token, stamp, "j1")}}
	resp, err := http.Post(r.srv.URL+"/hooks/mp?"+q.Encode(), "application/json", strings.NewReader(`{"ToUserName":"g","FromUserName":"oJson","CreateTime":"`+stamp+`","MsgType":"event","Event":"x_y","List":[{"a":1}]}`))
	must(t, err)
	_ = resp.Body.Close()
	if resp.StatusCode != 200 || r.count(`SELECT COUNT(*) FROM oa_inbox WHERE openid = 'oJson'`) != 1 {
		t.Fatal(resp.StatusCode)
	}
}

func TestReceiptsOfTemplateMessages(t *testing.T) {
	r := newRig(t)
	id, err := r.Service.wx.SendTemplate(t.Context(), wechat.TemplateMessage{OpenID: r.openID("p1"), TemplateID: "T", Data: map[string]string{"thing1": "到店"}})
	must(t, err)
	r.settle()
	if want := fmt.Sprint("official_account ", id, " success"); !slices.Equal(r.delivered, []string{want}) {
		t.Fatal(r.delivered, "want", want)
	}
}

func TestWhoTakesTheAuthorisationBackIsForgotten(t *testing.T) {
	r := newRig(t)
	must(t, r.wx.SetFollows("p3", true))
	r.settle()
	id := r.join(wechat.OfficialAccount, "p3", "13800010003")
	must(t, r.wx.Text("p3", "我的手机号是 13800010003"))
	r.settle()
	r.clk.Advance(time.Second)
	must(t, r.wx.PushEvent(wxsandbox.AppOA, "p3", "user_authorization_cancellation", nil))
	r.settle()
	open, union := r.openID("p3"), r.persona("p3").UnionID
	for _, q := range []string{`SELECT COUNT(*) FROM oa_followers WHERE openid = ? OR unionid = ?`, `SELECT COUNT(*) FROM member_identities WHERE openid = ? OR unionid = ?`} {
		if n := r.count(q, open, union); n != 0 {
			t.Error(q, n)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_inbox WHERE openid = ? OR content <> ''`, open); n != 0 {
		t.Error("the inbox remembers", n)
	}
	if n := r.count(`SELECT COUNT(*) FROM oa_followers WHERE state = 'revoked'`); n != 1 {
		t.Error("nobody is counted as having left")
	}
	if m, err := r.members.Get(t.Context(), id); err != nil || m.Status != "active" {
		t.Error("the membership stays:", m.Status, err)
	}
	if n := r.count(`SELECT COUNT(*) FROM audit_log WHERE action = 'oa.revoked' AND subject_id = ?`, id); n != 1 {
		t.Error("the trail says nothing")
	}
}

var stormSize = flag.Int("storm", 600, "how many follow events the storm has; the issue speaks of 10,000 in a minute")

func TestAStormOfFollowers(t *testing.T) {
	r := newRig(t)
	n := *stormSize
	begin := time.Now()
	var wg sync.WaitGroup
	work := make(chan int)
	for range 32 {
		wg.Go(func() {
			for i := range work {
				body := r.event(fmt.Sprintf("oStorm-%d", i), "subscribe", "qrscene_fair")
				for try := range 2 { // WeChat does not always hear the first answer
					if i%10 != 0 && try > 0 {
						continue
					}
					if status, answer := r.post(r.query(fmt.Sprintf("s%d-%d", i, try)), body); status != 200 || !strings.Contains(answer, "欢迎") {
						t.Error(i, status, answer)
					}
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	kept := time.Since(begin)
	must(t, r.queue.Drain(t.Context()))
	t.Logf("%d events kept in %s, handled after %s", n, kept.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
	for q, want := range map[string]int{
		`SELECT COUNT(*) FROM oa_inbox`:                                                        n,
		`SELECT COUNT(*) FROM oa_inbox WHERE state <> 'done'`:                                  0,
		`SELECT COUNT(*) FROM oa_followers WHERE state = 'following' AND first_scene = 'fair'`: n,
		`SELECT COUNT(*) FROM oa_moves WHERE kind = 'follow'`:                                  n,
		`SELECT COUNT(*) FROM oa_followers WHERE info_at = 0 OR follows <> 1`:                  0,
	} {
		if got := r.count(q); got != want {
			t.Errorf("%s: %d, want %d", q, got, want)
		}
	}
}

func TestSigningPages(t *testing.T) {
	r := newRig(t)
	a, err := r.Sign(t.Context(), r.srv.URL+"/h5/?from=x#/pages/home/index")
	must(t, err)
	b, err := r.Sign(t.Context(), r.srv.URL+"/h5/")
	must(t, err)
	if a.AppID != r.c.OfficialAccount.AppID || len(a.Signature) != 40 || a.Nonce == b.Nonce || r.calls["/cgi-bin/ticket/getticket"] != 1 {
		t.Fatalf("%+v %+v, %d tickets", a, b, r.calls["/cgi-bin/ticket/getticket"])
	}
	for _, bad := range []string{"", "https://evil.example/h5/", r.srv.URL + ".evil.example/h5/", r.srv.URL + "@evil.example/", r.srv.URL, "javascript:alert(1)", r.srv.URL + "/h5/ x", r.srv.URL + "/" + strings.Repeat("a", 1000)} {
		if _, err := r.Sign(t.Context(), bad); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	_, err = r.wx.SetFault(wxsandbox.Fault{Target: "api", Kind: "errcode", Path: "/cgi-bin/ticket", Value: "45009", Count: 1})
	must(t, err)
	r.clk.Advance(3 * time.Hour)
	if _, err := r.Sign(t.Context(), r.srv.URL+"/h5/"); err != nil && fault.As(err).Kind == fault.Internal {
		t.Error(err)
	}
}
