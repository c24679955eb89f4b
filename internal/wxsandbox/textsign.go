package wxsandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How the providers check a request, written from their descriptions and apart from internal/sms, so that a mistake in
// one is not repeated in the other:
// https://cloud.tencent.com/document/api/382/52072 and https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature

var tc3Header = regexp.MustCompile(`^TC3-HMAC-SHA256 Credential=([^/ ]+)/([0-9-]{10})/([a-z]+)/tc3_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$`)

func hmac256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hash256(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// signedLines are the canonical headers of a request, in the order in which the signer names them.
func signedLines(r *http.Request, names string) string {
	var b strings.Builder
	for n := range strings.SplitSeq(names, ";") {
		v := r.Header.Get(n)
		if n == "host" {
			v = r.Host
		}
		if n == "x-tc-action" {
			v = strings.ToLower(v)
		}
		b.WriteString(n + ":" + strings.TrimSpace(v) + "\n")
	}
	return b.String()
}

// tc3Problem verifies a request of Tencent Cloud's API 3.0 and returns its error code, or "".
func (s *Sandbox) tc3Problem(r *http.Request, body []byte) string {
	m := tc3Header.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return "AuthFailure.InvalidAuthorization"
	}
	stamp, err := strconv.ParseInt(r.Header.Get("X-TC-Timestamp"), 10, 64)
	if err != nil {
		return "MissingParameter"
	}
	at := time.Unix(stamp, 0).UTC()
	key := hmac256(hmac256(hmac256([]byte("TC3"+s.o.SMS.SecretKey), m[2]), m[3]), "tc3_request")
	canonical := "POST\n/\n" + r.URL.RawQuery + "\n" + signedLines(r, m[4]) + "\n" + m[4] + "\n" + hash256(body)
	text := "TC3-HMAC-SHA256\n" + r.Header.Get("X-TC-Timestamp") + "\n" + m[2] + "/" + m[3] + "/tc3_request\n" + hash256([]byte(canonical))
	names := strings.Split(m[4], ";")
	switch {
	case m[1] != s.o.SMS.SecretID:
		return "AuthFailure.SecretIdNotFound"
	case abs(s.o.Now().Sub(at)) > 5*time.Minute:
		return "AuthFailure.SignatureExpire"
	case m[2] != at.Format(time.DateOnly), m[3] != "sms", !slices.Contains(names, "content-type"), !slices.Contains(names, "host"), !slices.IsSorted(names),
		!hmac.Equal([]byte(hex.EncodeToString(hmac256(key, text))), []byte(m[5])):
		return "AuthFailure.SignatureFailure"
	case r.Header.Get("X-TC-Action") != "SendSms":
		return "InvalidAction"
	case r.Header.Get("X-TC-Version") != "2021-01-11":
		return "NoSuchVersion"
	case !strings.HasPrefix(r.Header.Get("X-TC-Region"), "ap-"):
		return "UnsupportedRegion"
	}
	return ""
}

func abs(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}

// tencentSMS is SendSms 2021-01-11.
func (s *Sandbox) tencentSMS(w http.ResponseWriter, r *http.Request) {
	body := readBody(r)
	answer := func(v map[string]any) {
		v["RequestId"] = randomHex(16)
		writeJSON(w, http.StatusOK, map[string]any{"Response": v})
	}
	fail := func(code string) { answer(map[string]any{"Error": map[string]string{"Code": code, "Message": code}}) }
	if code := s.tc3Problem(r, body); code != "" {
		fail(code)
		return
	}
	var in struct {
		PhoneNumberSet   []string `json:"PhoneNumberSet"`
		SmsSdkAppID      string   `json:"SmsSdkAppId"`
		TemplateID       string   `json:"TemplateId"`
		SignName         string   `json:"SignName"`
		TemplateParamSet []string `json:"TemplateParamSet"`
		SessionContext   string   `json:"SessionContext"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.PhoneNumberSet) != 1 {
		fail("InvalidParameter")
		return
	}
	if in.SmsSdkAppID != s.o.SMS.AppID {
		fail("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
		return
	}
	status := func(code, serial string) {
		answer(map[string]any{"SendStatusSet": []map[string]any{{"SerialNo": serial, "PhoneNumber": in.PhoneNumberSet[0], "Fee": 1, "SessionContext": in.SessionContext,
			"Code": code, "Message": code, "IsoCode": "CN"}}})
	}
	if f := s.takeFault("sms", r.URL.Path, nil, "limit", "reject"); f != nil {
		status(map[string]string{"limit": "LimitExceeded.PhoneNumberDailyLimit", "reject": "FailedOperation.TemplateIncorrectOrUnapproved"}[f.Kind], "")
		return
	}
	values := in.TemplateParamSet
	if values == nil {
		values = []string{}
	}
	x, problem := s.deliverText(TextMessage{Provider: "tencent", Phone: strings.TrimPrefix(in.PhoneNumberSet[0], "+86"), Sign: in.SignName, TemplateID: in.TemplateID, Ref: in.SessionContext}, values)
	status(map[smsProblem]string{smsFine: "Ok", smsBadPhone: "InvalidParameterValue.IncorrectPhoneNumber", smsBadSign: "FailedOperation.SignatureIncorrectOrUnapproved",
		smsBadTemplate: "FailedOperation.TemplateIncorrectOrUnapproved", smsBadValues: "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
		smsTooSoon: "LimitExceeded.PhoneNumberThirtySecondLimit", smsTooMany: "LimitExceeded.PhoneNumberDailyLimit"}[problem], x.BizID)
}

var acs3Header = regexp.MustCompile(`^ACS3-HMAC-SHA256 Credential=([^, ]+),SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{64})$`)

// acs3Problem verifies a request of Alibaba Cloud's signature 3 and returns its error code, or "".
func (s *Sandbox) acs3Problem(r *http.Request, body []byte) string {
	m := acs3Header.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return "InvalidAuthorization"
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", r.Header.Get("x-acs-date"))
	nonce := r.Header.Get("x-acs-signature-nonce")
	if err != nil || nonce == "" {
		return "MissingParameter"
	}
	names := strings.Split(m[2], ";")
	for _, n := range []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"} {
		if !slices.Contains(names, n) {
			return "SignatureDoesNotMatch"
		}
	}
	canonical := "POST\n/\n" + rfc3986(r.URL.Query()) + "\n" + signedLines(r, m[2]) + "\n" + m[2] + "\n" + r.Header.Get("x-acs-content-sha256")
	text := "ACS3-HMAC-SHA256\n" + hash256([]byte(canonical))
	switch {
	case m[1] != s.o.SMS.SecretID:
		return "InvalidAccessKeyId.NotFound"
	case abs(s.o.Now().Sub(at)) > 15*time.Minute:
		return "InvalidTimeStamp.Expired"
	case !slices.IsSorted(names), r.Header.Get("x-acs-content-sha256") != hash256(body),
		!hmac.Equal([]byte(hex.EncodeToString(hmac256([]byte(s.o.SMS.SecretKey), text))), []byte(m[3])):
		return "SignatureDoesNotMatch"
	case !s.freshNonce("acs3:" + nonce):
		return "SignatureNonceUsed"
	case r.Header.Get("x-acs-action") != "SendSms":
		return "InvalidAction.NotFound"
	case r.Header.Get("x-acs-version") != "2017-05-25":
		return "InvalidVersion"
	}
	return ""
}

// rfc3986 is a query sorted by name and encoded as the signature wants it.
func rfc3986(q url.Values) string {
	return strings.ReplaceAll(q.Encode(), "+", "%20")
}

// freshNonce remembers a nonce for a day.
func (s *Sandbox) freshNonce(nonce string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	for n, at := range s.smsNonces {
		if now.Sub(at) > 24*time.Hour {
			delete(s.smsNonces, n)
		}
	}
	_, used := s.smsNonces[nonce]
	s.smsNonces[nonce] = now
	return !used
}

// aliyunSMS is SendSms 2017-05-25.
func (s *Sandbox) aliyunSMS(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, code, biz string) {
		out := map[string]string{"Code": code, "Message": code, "RequestId": strings.ToUpper(randomHex(16))}
		if biz != "" {
			out["BizId"] = biz
		}
		writeJSON(w, status, out)
	}
	if code := s.acs3Problem(r, readBody(r)); code != "" {
		answer(http.StatusBadRequest, code, "")
		return
	}
	if f := s.takeFault("sms", r.URL.Path, nil, "limit", "reject"); f != nil {
		answer(http.StatusOK, map[string]string{"limit": "isv.BUSINESS_LIMIT_CONTROL", "reject": "isv.SMS_TEMPLATE_ILLEGAL"}[f.Kind], "")
		return
	}
	q := r.URL.Query()
	values := map[string]string{}
	if text := q.Get("TemplateParam"); text != "" {
		var any map[string]any
		if json.Unmarshal([]byte(text), &any) != nil {
			answer(http.StatusOK, "isv.INVALID_JSON_PARAM", "")
			return
		}
		for k, v := range any {
			values[k] = fmt.Sprint(v)
		}
	}
	x, problem := s.deliverText(TextMessage{Provider: "aliyun", Phone: q.Get("PhoneNumbers"), Sign: q.Get("SignName"), TemplateID: q.Get("TemplateCode"), Ref: q.Get("OutId"), Values: values}, nil)
	answer(http.StatusOK, map[smsProblem]string{smsFine: "OK", smsBadPhone: "isv.MOBILE_NUMBER_ILLEGAL", smsBadSign: "isv.SMS_SIGNATURE_ILLEGAL", smsBadTemplate: "isv.SMS_TEMPLATE_ILLEGAL",
		smsBadValues: "isv.TEMPLATE_MISSING_PARAMETERS", smsTooSoon: "isv.BUSINESS_LIMIT_CONTROL", smsTooMany: "isv.BUSINESS_LIMIT_CONTROL"}[problem], x.BizID)
}
