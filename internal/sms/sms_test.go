package sms

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/clock"
)

// The example of https://cloud.tencent.com/document/api/213/30654 (signature v3, DescribeInstances). The key that is
// printed as asterisks really is 32 asterisks.
func TestTC3KnownAnswer(t *testing.T) {
	s := tc3{id: "AKID", key: strings.Repeat("*", 32), service: "cvm", host: "cvm.tencentcloudapi.com", contentType: tencentJSON,
		action: "DescribeInstances", payload: []byte(`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`), at: time.Unix(1551113065, 0)}
	if got := s.authorization(); !strings.HasSuffix(got, "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f") {
		t.Fatal(got)
	}
}

// The example of Alibaba Cloud's own description of ACS3-HMAC-SHA256 (RunInstances).
func TestACS3KnownAnswer(t *testing.T) {
	at, _ := time.Parse(time.RFC3339, "2023-10-26T10:22:32Z")
	s := acs3{id: "YourAccessKeyId", key: "YourAccessKeySecret", host: "ecs.cn-shanghai.aliyuncs.com", action: "RunInstances", version: "2014-05-26",
		query: canonicalQuery(map[string]string{"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}),
		nonce: "3156853299f313e23d1673dc12e1703d", at: at}
	if got := s.authorization(); !strings.HasSuffix(got, "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0") {
		t.Fatal(got)
	}
}

const (
	phone  = "13800010001"
	secret = "very-secret-key"
)

func sender(t *testing.T, provider string, h http.HandlerFunc) Sender {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s, err := New(Config{Provider: provider, AppID: "1400000001", SecretID: "id", SecretKey: secret, Sign: "亮车", Endpoint: srv.URL + "/sms/" + provider,
		Timeout: 300 * time.Millisecond, Clock: clock.NewManual(time.Unix(1700000000, 0))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func message() Message {
	return Message{Phone: phone, TemplateID: "123456", Params: []Param{{"code", "135790"}, {"minutes", "5"}}, Ref: "ref-1"}
}

func TestTencentRequestAndAnswers(t *testing.T) {
	var in tencentRequest
	answer, status := "", 200
	s := sender(t, Tencent, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/sms/tencent/" || r.Header.Get("X-TC-Action") != "SendSms" || r.Header.Get("X-TC-Version") != "2021-01-11" || r.Header.Get("X-TC-Timestamp") != "1700000000" {
			t.Errorf("request %s %v", r.URL, r.Header)
		}
		in = tencentRequest{}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	})
	answer = `{"Response":{"SendStatusSet":[{"SerialNo":"5000:1","Code":"Ok"}],"RequestId":"x"}}`
	id, err := s.Send(t.Context(), message())
	if err != nil || id != "5000:1" {
		t.Fatal(id, err)
	}
	if in.PhoneNumberSet[0] != "+86"+phone || in.SignName != "亮车" || in.TemplateParamSet[0] != "135790" || in.TemplateParamSet[1] != "5" || in.SessionContext != "ref-1" || in.SmsSdkAppID != "1400000001" {
		t.Fatalf("%+v", in)
	}
	for _, x := range []struct {
		answer    string
		status    int
		class     Class
		uncertain bool
	}{
		{`{"Response":{"SendStatusSet":[{"Code":"LimitExceeded.PhoneNumberDailyLimit"}]}}`, 200, Limited, false},
		{`{"Response":{"SendStatusSet":[{"Code":"FailedOperation.TemplateIncorrectOrUnapproved"}]}}`, 200, Rejected, false},
		{`{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure"}}}`, 200, Rejected, false},
		{`{"Response":{"Error":{"Code":"AuthFailure.SignatureExpire"}}}`, 200, Unavailable, false},
		{`{"Response":{"Error":{"Code":"RequestLimitExceeded"}}}`, 200, Limited, false},
		{`{"Response":{"Error":{"Code":"InternalError.Timeout"}}}`, 200, Unavailable, true},
		{`{"Response":{"SendStatusSet":[]}}`, 200, Unavailable, true},
		{`<html>bad gateway</html>`, 502, Unavailable, false},
		{`slow down`, 429, Limited, false},
	} {
		answer, status = x.answer, x.status
		checkError(t, s, x.class, x.uncertain)
	}
}

func TestAliyunRequestAndAnswers(t *testing.T) {
	answer, status := "", 200
	s := sender(t, Aliyun, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("PhoneNumbers") != phone || q.Get("SignName") != "亮车" || q.Get("TemplateParam") != `{"code":"135790","minutes":"5"}` || q.Get("OutId") != "ref-1" {
			t.Errorf("query %v", q)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	})
	answer = `{"Code":"OK","Message":"OK","BizId":"9006","RequestId":"x"}`
	if id, err := s.Send(t.Context(), message()); err != nil || id != "9006" {
		t.Fatal(id, err)
	}
	for _, x := range []struct {
		answer string
		status int
		class  Class
	}{
		{`{"Code":"isv.BUSINESS_LIMIT_CONTROL"}`, 200, Limited},
		{`{"Code":"isv.AMOUNT_NOT_ENOUGH"}`, 200, Limited},
		{`{"Code":"isv.SMS_TEMPLATE_ILLEGAL"}`, 200, Rejected},
		{`{"Code":"SignatureDoesNotMatch"}`, 400, Rejected},
		{`{"Code":"Throttling.User"}`, 400, Limited},
		{`{"Code":"isp.SYSTEM_ERROR"}`, 200, Unavailable},
	} {
		answer, status = x.answer, x.status
		checkError(t, s, x.class, false)
	}
}

func checkError(t *testing.T, s Sender, class Class, uncertain bool) {
	t.Helper()
	_, err := s.Send(t.Context(), message())
	var e *Error
	if !errors.As(err, &e) || e.Class != class || e.Uncertain != uncertain {
		t.Errorf("%v, want %s uncertain %v", err, class, uncertain)
		return
	}
	for _, bad := range []string{phone, secret, "135790", "http://"} {
		if strings.Contains(err.Error(), bad) {
			t.Errorf("%q stands in %q", bad, err)
		}
	}
}

// A provider that never answers, one that hangs up, one that is not there, one that sends elsewhere.
func TestSendEndsInTime(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	for _, p := range []string{Tencent, Aliyun} {
		checkError(t, sender(t, p, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		}), Unavailable, true)
		checkError(t, sender(t, p, func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := http.NewResponseController(w).Hijack()
			_ = c.Close()
		}), Unavailable, true)
		elsewhere := false
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
		checkError(t, sender(t, p, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }), Unavailable, false)
		other.Close()
		if elsewhere {
			t.Error(p, "followed a redirect")
		}
		s, err := New(Config{Provider: p, SecretKey: secret, Sign: "x", Endpoint: "http://127.0.0.1:1", Clock: clock.System()})
		if err != nil {
			t.Fatal(err)
		}
		checkError(t, s, Unavailable, false)
	}
}

func TestRefusedBeforeItLeaves(t *testing.T) {
	s := sender(t, Tencent, func(http.ResponseWriter, *http.Request) { t.Error("it left") })
	for _, x := range []struct {
		change func(*Message)
		class  Class
	}{
		{func(m *Message) { m.Phone = "+8613800010001" }, Rejected},
		{func(m *Message) { m.Phone = "13800010001,13800010002" }, Rejected},
		{func(m *Message) { m.Phone = "" }, Rejected},
		{func(m *Message) { m.TemplateID = "" }, NotConfigured},
		{func(m *Message) { m.Ref = strings.Repeat("x", 65) }, Rejected},
	} {
		m := message()
		x.change(&m)
		if _, err := s.Send(t.Context(), m); ClassOf(err) != x.class {
			t.Errorf("%+v: %v", m, err)
		}
	}
	none, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Send(t.Context(), message()); ClassOf(err) != NotConfigured {
		t.Error(err)
	}
	for _, c := range []Config{{Provider: "pigeon", Endpoint: "https://x", Clock: clock.System()}, {Provider: Tencent, Endpoint: "ftp://x", Clock: clock.System()},
		{Provider: Tencent, Endpoint: "https://", Clock: clock.System()}, {Provider: Tencent}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
