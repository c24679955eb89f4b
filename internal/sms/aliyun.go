package sms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// aliyun is Alibaba Cloud's short message service.
// Request: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms, signature:
// https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature (ACS3-HMAC-SHA256, which replaced
// the HMAC-SHA1 of the RPC style), codes: https://help.aliyun.com/zh/sms/developer-reference/api-error-codes
type aliyun struct{ wire }

type aliyunAnswer struct {
	Code  string `json:"Code"`
	BizID string `json:"BizId"`
}

// Send hands over one message.
func (a aliyun) Send(ctx context.Context, m Message) (string, error) {
	m, err := a.check(m)
	if err != nil {
		return "", err
	}
	params := map[string]string{}
	for _, p := range m.Params {
		params[p.Name] = p.Value
	}
	text, err := json.Marshal(params)
	if err != nil {
		return "", &Error{Class: Rejected, cause: err}
	}
	q := map[string]string{"PhoneNumbers": m.Phone, "SignName": m.Sign, "TemplateCode": m.TemplateID, "TemplateParam": string(text)}
	if m.Ref != "" {
		q["OutId"] = m.Ref
	}
	if a.c.Region != "" {
		q["RegionId"] = a.c.Region
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails: see crypto/rand
	s := acs3{id: a.c.SecretID, key: a.c.SecretKey, host: a.base.Host, action: "SendSms", version: "2017-05-25", query: canonicalQuery(q),
		nonce: hex.EncodeToString(nonce), at: a.c.Clock.Now()}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base.String()+"/?"+s.query, nil)
	if err != nil {
		return "", &Error{Class: Rejected}
	}
	for _, h := range s.headers() {
		r.Header.Set(h[0], h[1])
	}
	r.Header.Set("Authorization", s.authorization())
	status, answer, err := a.do(r)
	if err != nil {
		return "", err
	}
	var out aliyunAnswer
	if json.Unmarshal(answer, &out) != nil || out.Code == "" {
		return "", unreadable(status)
	}
	if out.Code != "OK" {
		return "", aliyunError(status, out.Code)
	}
	return out.BizID, nil
}

// aliyunError classes a code of Alibaba Cloud.
func aliyunError(status int, code string) *Error {
	e := &Error{Class: Rejected, Code: codeOf(code)}
	switch {
	case slices.Contains([]string{"isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isv.SMS_SIGN_LIMIT",
		"isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE"}, code), strings.HasPrefix(code, "Throttling"):
		e.Class = Limited
	case strings.HasPrefix(code, "isp."), strings.HasPrefix(code, "InternalError"), strings.HasPrefix(code, "ServiceUnavailable"),
		strings.HasPrefix(code, "InvalidTimeStamp"), code == "SignatureNonceUsed", status >= 500:
		e.Class = Unavailable
	}
	return e
}

// acs3 is a request of the RPC style to be signed. A path in front of the endpoint is not part of it: the canonical
// address is always "/".
type acs3 struct {
	id, key, host, action, version, query, nonce string
	at                                           time.Time
}

// headers are those that are signed, in the order of their names, without host.
func (s acs3) headers() [][2]string {
	return [][2]string{{"x-acs-action", s.action}, {"x-acs-content-sha256", sha(nil)}, {"x-acs-date", s.at.UTC().Format("2006-01-02T15:04:05Z")},
		{"x-acs-signature-nonce", s.nonce}, {"x-acs-version", s.version}}
}

func (s acs3) authorization() string {
	names, lines := "host", "host:"+s.host+"\n"
	for _, h := range s.headers() {
		names += ";" + h[0]
		lines += h[0] + ":" + h[1] + "\n"
	}
	canonical := "POST\n/\n" + s.query + "\n" + lines + "\n" + names + "\n" + sha(nil)
	text := "ACS3-HMAC-SHA256\n" + sha([]byte(canonical))
	return "ACS3-HMAC-SHA256 Credential=" + s.id + ",SignedHeaders=" + names + ",Signature=" + hex.EncodeToString(mac([]byte(s.key), text))
}

// canonicalQuery is the query sorted by name, in the encoding of RFC 3986.
func canonicalQuery(q map[string]string) string {
	names := make([]string, 0, len(q))
	for k := range q {
		names = append(names, k)
	}
	slices.Sort(names)
	for i, k := range names {
		names[i] = percent(k) + "=" + percent(q[k])
	}
	return strings.Join(names, "&")
}

func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
