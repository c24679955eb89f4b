package wxsandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// No field value may panic, and what is accepted keeps to its length.
func FuzzFields(f *testing.F) {
	for _, v := range []string{"精洗", "¥500.00", "2026年6月1日 12:30", "沪A12345D", "\xff", "a\x00"} {
		f.Add("thing1", v)
		f.Add("amount2", v)
		f.Add("car_number3", v)
		f.Add("time4", v)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		if fieldKind(key) == "" {
			return
		}
		ok := checkFields(Template{Fields: []Field{{Key: key}}}, map[string]string{key: value}) == ""
		if ok && (value == "" || !utf8.ValidString(value) || utf8.RuneCountInString(value) > 80) {
			t.Fatalf("%s accepts %q", key, value)
		}
	})
}

// No Authorization header may pass without the merchant's key.
func FuzzAuthorization(f *testing.F) {
	c, err := testCreds()
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(Options{PublicURL: "http://127.0.0.1/s", Now: time.Now}, c)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Add(authScheme+` mchid="`+c.MchID+`",nonce_str="x",timestamp="1",serial_no="`+c.MerchantSerial+`",signature="AAAA"`, "{}")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, auth, body string) {
		r := httptest.NewRequest(http.MethodPost, "/v3/pay/transactions/jsapi", strings.NewReader(body))
		r.Header.Set("Authorization", auth)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || w.Header().Get("Wechatpay-Signature") != "" {
			t.Fatalf("%q: %d", auth, w.Code)
		}
	})
}
