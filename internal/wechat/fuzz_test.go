package wechat

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/util"
)

// A bill that is not as WeChat Pay documents it is refused; what is read has the amounts that stand there.
func FuzzBill(f *testing.F) {
	const head = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,用户标识,交易类型,交易状态,微信退款单号,商户退款单号,退款金额,退款状态,订单金额"
	const row = "\n`2026-11-18 10:00:00,`wx1,`1900000001,`4200,`LC1,`o1,`JSAPI,`SUCCESS,`0,`0,`0.00,`,`500.00"
	for _, s := range []string{"", head, head + row, "\ufeff" + head + "\r" + row + "\r\n总交易单数,总交易额\r\n`1,`500.00", head + strings.Replace(row, "500.00", "-1", 1), head + strings.Replace(row, "`o1", "`o,1", 1),
		strings.Replace(head, "公众账号ID", "商户号", 1) + row, head + "," + row, "a,a," + head + row, "a,a," + head + "\n`x," + strings.TrimPrefix(row, "\n"), head + strings.Replace(row, "10:00", "25:61", 1), head + "\n`", head + "\n`,`,`,`,`,`,`,`,`,`,`,`,`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := parseBill(file)
		if err != nil && rows != nil {
			t.Fatalf("refused, yet %d rows", len(rows))
		}
		if len(rows) > strings.Count(file, "\n") {
			t.Fatalf("%d rows of %d lines", len(rows), strings.Count(file, "\n"))
		}
		for _, r := range rows {
			if r.At.IsZero() || !strings.Contains(file, r.OutTradeNo) {
				t.Fatalf("read %+v", r)
			}
		}
	})
}

// Whatever arrives at the message callback is answered with one of the documented statuses; it is taken only when it was signed, and with the fields
// that a message must have.
func FuzzPushCallback(f *testing.F) {
	c, err := New(context.Background(), Config{OfficialAccount: App{AppID: peerAppID, Token: peerToken, AESKey: peerKey}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	const text = `<xml><FromUserName>o</FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>洗车</Content><MsgId>1</MsgId></xml>`
	for _, s := range []string{text, "", "<xml>", `{"CreateTime":1700000000,"MsgType":"event","Event":"x"}`, `<xml><Encrypt>AAAA</Encrypt></xml>`, "<xml><Encrypt>" + peers[0].sealed + "</Encrypt></xml>",
		strings.Replace(text, "洗车", "<![CDATA[]]]]><![CDATA[>]]>", 1), strings.Replace(text, "洗车", strings.Repeat("啊", 3000), 1), `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml>&a;</xml>`} {
		for mode := range byte(3) {
			f.Add([]byte(s), mode, true)
			f.Add([]byte(s), mode, false)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, mode byte, signed bool) {
		q := url.Values{"timestamp": {"1700000000"}, "nonce": {"12345"}, "signature": {util.Signature(peerToken, "1700000000", "12345")}}
		switch mode % 3 {
		case 1: // encrypted by whoever has the key
			sealed, err := util.EncryptMsg([]byte("0123456789abcdef"), body, peerAppID, peerKey)
			if err != nil {
				t.Fatal(err)
			}
			q.Set("encrypt_type", "aes")
			q.Set("msg_signature", util.Signature(peerToken, "1700000000", "12345", string(sealed)))
			body = fmt.Appendf(nil, "<xml><Encrypt>%s</Encrypt></xml>", sealed)
		case 2: // says that it is encrypted, and is whatever it is
			q.Set("encrypt_type", "aes")
			sealed, _ := parseFields(body)
			q.Set("msg_signature", util.Signature(peerToken, "1700000000", "12345", sealed["Encrypt"]))
		}
		if !signed {
			q.Set("signature", strings.Repeat("0", 40))
		}
		taken := 0
		h := c.Pushes(OfficialAccount, func() time.Time { return time.Unix(1700000010, 0) }, func(_ context.Context, in Push) (Reply, error) {
			taken++
			if in.Type == "" || in.Nonce == "" || in.App != OfficialAccount || in.CreatedAt.Unix() < 0 {
				t.Fatalf("took %+v", in)
			}
			return Reply{Text: "收到" + in.Content}, nil
		})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+q.Encode(), strings.NewReader(string(body))))
		switch w.Code {
		case http.StatusOK:
			if taken != 1 || !signed || !utf8.Valid(w.Body.Bytes()) {
				t.Fatalf("taken %d times, signed %v, answered %q", taken, signed, w.Body)
			}
		case http.StatusForbidden, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if taken != 0 {
				t.Fatalf("taken, yet answered %d", w.Code)
			}
		default:
			t.Fatalf("answered %d", w.Code)
		}
	})
}
