package wechat

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// What two other implementations encrypted and signed, with this token, key and appid, timestamp 1700000000 and nonce 12345: the vectors prove that we read
// what is not our own.
const (
	peerToken = "liangcheToken1"
	peerKey   = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	peerAppID = "wx5a9db0vector01"
	peerText  = "洗车🚗"
)

var peers = []struct{ name, sealed, signature string }{
	{"wechat-crypto 0.0.2", "oB9rEho9eYYpy6S0pH1RXqrSxJXnvMEPvxxN5gX9fwOrXau2C7Qa7b1IuM67QXW9/rSRXLaRRUSb53JastpoeRl+RaGpu1lnZ8t5qoV6yawvynawY7DgjwQriXE3kXJDIqWFMS4LFlQkHhF6FdC0H9bYxDvCMvPdCoENCE2Ok2CruD5iNSIPYeU5zXninvAYPSNUWHMMarX6sik7t0aWZ0iYQFa2pqW+vMBRsxmyx6Bduqv/Mv74cgOmRiO96ItIn7HCAvYx+d8zGIM7zL1X3aWgnYCjHUXb4Bis1XSKCTRYrxR/og3oY63AnCRaXaf7DOxxqSPpCvGvdilpdLONRO4fNPq1uKyYIvKATKk8YcayCiVjykbofva3pMGC12wb", "33b5a48e0eaa23482188cbf5db7c9938ea29566b"},
	{"@wecom/crypto 1.0.1", "TvEH+G3/wSobtKEQwZgAf6gHNdT7aM0lN2pu8ttH387JHBkW7Tl+oH1PavWWORxXIbjKmstHdNXlL2EYf0Q8bVK6t6LoYGd+CB/gLgQYDU3Vz2i+ZACN5jqRgEJZHvf6dHJBc4UrRJ8rrvmruWjlTpSRtE/WoME+yU2/+js35XH4JXzt2TrVLVWjR8grhx+r2bCHBZOPgUp8ivQ+Ta8TEihF5b4Mwz7MU+pUOeahIeMQ1dbBwf7yvbanK8Av21IC/ZqiuSGIVIZVJnqVMgo32QyyVesEHCbzqj0rgFY8TWMjmmjj0zDbKNby3A6Wj5hINnQGG912tMHn6OTsg2t7j9eO9cDVtZu6Hfm92pNu9SAZYeYfWV3wngGw8PksRu4f", "a7b23b2502a69e1423d5995dd97267f878e41075"},
}

func peerClient(t *testing.T) *Client {
	t.Helper()
	c, err := New(t.Context(), Config{OfficialAccount: App{AppID: peerAppID, Token: peerToken, AESKey: peerKey}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPushesOfOtherImplementations(t *testing.T) {
	c := peerClient(t)
	now := func() time.Time { return time.Unix(1700000010, 0) }
	for _, p := range peers {
		var got Push
		h := c.Pushes(OfficialAccount, now, func(_ context.Context, in Push) (Reply, error) {
			got = in
			return Reply{Text: "收到" + in.Content}, nil
		})
		q := url.Values{"timestamp": {"1700000000"}, "nonce": {"12345"}, "signature": {util.Signature(peerToken, "1700000000", "12345")}, "encrypt_type": {"aes"}, "msg_signature": {p.signature}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+q.Encode(), strings.NewReader("<xml><ToUserName>gh_1</ToUserName><Encrypt>"+p.sealed+"</Encrypt></xml>")))
		if w.Code != 200 || got.Content != peerText || got.From != "oABC" || got.MsgID != "24000000000000001" {
			t.Fatalf("%s: %d %+v", p.name, w.Code, got)
		}
		var out struct {
			Encrypt   string `xml:"Encrypt"`
			Signature string `xml:"MsgSignature"`
			Stamp     string `xml:"TimeStamp"`
			Nonce     string `xml:"Nonce"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &out); err != nil || out.Signature != util.Signature(peerToken, out.Stamp, out.Nonce, out.Encrypt) {
			t.Fatal("the answer is not signed:", err, w.Body)
		}
		_, plain, err := util.DecryptMsg(peerAppID, out.Encrypt, peerKey)
		if err != nil || !strings.Contains(string(plain), "收到"+peerText) {
			t.Fatal(err, string(plain))
		}
		q.Set("msg_signature", p.signature[1:]+"0")
		w = httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+q.Encode(), strings.NewReader("<xml><Encrypt>"+p.sealed+"</Encrypt></xml>")))
		if w.Code != http.StatusForbidden {
			t.Fatal("a wrong msg_signature:", w.Code)
		}
	}
}

func TestN25OnePushOneName(t *testing.T) {
	at := time.Unix(1700000000, 0)
	base := Push{App: OfficialAccount, From: "o1", CreatedAt: at, Type: "event", Event: "subscribe"}
	same := base
	same.Raw, same.Nonce = []byte("other bytes"), "n"
	if base.Dedupe() != same.Dedupe() {
		t.Error("the same event has two names")
	}
	seen := map[string]string{base.Dedupe(): "base"}
	for name, f := range map[string]func(*Push){
		"sender": func(p *Push) { p.From = "o2" }, "second": func(p *Push) { p.CreatedAt = at.Add(time.Second) }, "event": func(p *Push) { p.Event = "unsubscribe" },
		"key": func(p *Push) { p.Key = "qrscene_1" }, "app": func(p *Push) { p.App = MiniProgram }, "message": func(p *Push) { p.Event, p.MsgID = "TEMPLATESENDJOBFINISH", "7" },
		"text": func(p *Push) { p.Type, p.Event, p.MsgID = "text", "", "7" }, "split": func(p *Push) { p.From, p.Event = "o1s", "ubscribe" },
	} {
		p := base
		f(&p)
		if other := seen[p.Dedupe()]; other != "" {
			t.Errorf("%s and %s have one name", name, other)
		}
		seen[p.Dedupe()] = name
	}
}

func FuzzPush(f *testing.F) {
	for _, s := range []string{
		`<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oABC]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event><EventKey><![CDATA[qrscene_s1]]></EventKey></xml>`,
		`<xml><FromUserName>o</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>&lt;a&gt; 洗车🚗 &#x1F697;</Content><MsgId>1</MsgId></xml>`,
		`<xml><MsgType>event</MsgType><CreateTime>1</CreateTime><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo></xml>`,
		`<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>`, `<xml><a/><a/><b></xml>`, `{"MsgType":"event","CreateTime":1,"List":[1]}`, `{"CreateTime":"1","MsgType":"text","Content":"x"}`,
		"", "<", "<?xml version=\"1.0\" encoding=\"GBK\"?><xml></xml>", "<xml>]]></xml>", "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parsePush(raw)
		if err != nil {
			return
		}
		if p.Type == "" || p.CreatedAt.Unix() < 0 || len(p.From) > 64 || len(p.Fields) > pushFields || p.Dedupe() == "" || len(p.Dedupe()) > 64 {
			t.Fatalf("%q: %+v", raw, p)
		}
		if again, err := parsePush(raw); err != nil || again.Dedupe() != p.Dedupe() {
			t.Fatal("not the same twice")
		}
	})
}

func BenchmarkParsePush(b *testing.B) {
	raw := []byte(`<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oABC]]></FromUserName><CreateTime>` + strconv.Itoa(1700000000) + `</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event><EventKey></EventKey></xml>`)
	for b.Loop() {
		if _, err := parsePush(raw); err != nil {
			b.Fatal(err)
		}
	}
}
