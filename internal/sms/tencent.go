package sms

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tencent is Tencent Cloud SMS.
// Request: https://cloud.tencent.com/document/product/382/55981 (SendSms 2021-01-11), signature:
// https://cloud.tencent.com/document/product/382/52072 (TC3-HMAC-SHA256), codes:
// https://cloud.tencent.com/document/product/382/55981#6.-.E9.94.99.E8.AF.AF.E7.A0.81
type tencent struct{ wire }

const tencentJSON = "application/json; charset=utf-8"

type tencentRequest struct {
	PhoneNumberSet   []string `json:"PhoneNumberSet"`
	SmsSdkAppID      string   `json:"SmsSdkAppId"`
	TemplateID       string   `json:"TemplateId"`
	SignName         string   `json:"SignName"`
	TemplateParamSet []string `json:"TemplateParamSet"`
	SessionContext   string   `json:"SessionContext,omitempty"`
}

type tencentAnswer struct {
	Response *struct {
		Error *struct {
			Code string `json:"Code"`
		} `json:"Error"`
		SendStatusSet []struct {
			SerialNo string `json:"SerialNo"`
			Code     string `json:"Code"`
		} `json:"SendStatusSet"`
	} `json:"Response"`
}

// Send hands over one message.
func (t tencent) Send(ctx context.Context, m Message) (string, error) {
	m, err := t.check(m)
	if err != nil {
		return "", err
	}
	in := tencentRequest{PhoneNumberSet: []string{"+86" + m.Phone}, SmsSdkAppID: t.c.AppID, TemplateID: m.TemplateID, SignName: m.Sign,
		TemplateParamSet: []string{}, SessionContext: m.Ref}
	for _, p := range m.Params {
		in.TemplateParamSet = append(in.TemplateParamSet, p.Value)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return "", &Error{Class: Rejected, cause: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base.String()+"/", bytes.NewReader(body))
	if err != nil {
		return "", &Error{Class: Rejected}
	}
	region := t.c.Region
	if region == "" {
		region = "ap-guangzhou"
	}
	now := t.c.Clock.Now()
	s := tc3{id: t.c.SecretID, key: t.c.SecretKey, service: "sms", host: t.base.Host, contentType: tencentJSON, action: "SendSms", payload: body, at: now}
	r.Header.Set("Content-Type", tencentJSON)
	r.Header.Set("X-TC-Action", s.action)
	r.Header.Set("X-TC-Version", "2021-01-11")
	r.Header.Set("X-TC-Region", region)
	r.Header.Set("X-TC-Timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("Authorization", s.authorization())
	status, answer, err := t.do(r)
	if err != nil {
		return "", err
	}
	var out tencentAnswer
	if json.Unmarshal(answer, &out) != nil || out.Response == nil {
		return "", unreadable(status)
	}
	switch x := out.Response; {
	case x.Error != nil:
		return "", tencentError(x.Error.Code)
	case len(x.SendStatusSet) != 1:
		return "", unreadable(status)
	case x.SendStatusSet[0].Code != "Ok":
		return "", tencentError(x.SendStatusSet[0].Code)
	default:
		return x.SendStatusSet[0].SerialNo, nil
	}
}

// tencentError classes a code of Tencent Cloud.
func tencentError(code string) *Error {
	e := &Error{Class: Rejected, Code: codeOf(code)}
	switch group, _, _ := strings.Cut(code, "."); {
	case group == "LimitExceeded", group == "RequestLimitExceeded", code == "FailedOperation.InsufficientBalanceInSmsPackage":
		e.Class = Limited
	case code == "InternalError.Timeout":
		e.Class, e.Uncertain = Unavailable, true
	case group == "InternalError", group == "ResourceUnavailable", code == "AuthFailure.SignatureExpire": // the machine's clock: it is set right in time
		e.Class = Unavailable
	}
	return e
}

// tc3 is a request of Tencent Cloud's API 3.0 to be signed. A path in front of the endpoint is not part of it: the
// canonical address is always "/".
type tc3 struct {
	id, key, service, host, contentType, action string
	payload                                     []byte
	at                                          time.Time
}

func (s tc3) authorization() string {
	signed := "content-type;host;x-tc-action"
	canonical := "POST\n/\n\ncontent-type:" + s.contentType + "\nhost:" + s.host + "\nx-tc-action:" + strings.ToLower(s.action) + "\n\n" + signed + "\n" + sha(s.payload)
	date := s.at.UTC().Format(time.DateOnly)
	scope := date + "/" + s.service + "/tc3_request"
	text := "TC3-HMAC-SHA256\n" + strconv.FormatInt(s.at.Unix(), 10) + "\n" + scope + "\n" + sha([]byte(canonical))
	key := mac(mac(mac([]byte("TC3"+s.key), date), s.service), "tc3_request")
	return "TC3-HMAC-SHA256 Credential=" + s.id + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(mac(key, text))
}

func sha(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
