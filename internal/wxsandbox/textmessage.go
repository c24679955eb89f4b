package wxsandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The gateways of the two SMS providers that the shop may have, below the sandbox: /sms/tencent and /sms/aliyun. They
// check what the providers check: signature, time, application, signature name, template and values. Whoever's phone
// the number is finds the text under 短信; a number that is nobody's is accepted too, as in life.

// SMSOptions says what the providers have approved for the shop. Empty fields are derived from the credentials.
type SMSOptions struct {
	SecretID, SecretKey string
	AppID               string // Tencent Cloud's SmsSdkAppId
	Signs               []string
	Templates           []SMSTemplate
}

// SMSTemplate is an approved text. ${name} stands for a value: Tencent Cloud gives them in the order in which they first
// appear, Alibaba Cloud by name.
type SMSTemplate struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Code bool   `json:"code"` // a verification code: one every 30 seconds, 10 a day, digits only
}

// TextMessage is one text message that a phone received.
type TextMessage struct {
	ID         int64             `json:"id"`
	Provider   string            `json:"provider"`
	Phone      string            `json:"phone"`
	Sign       string            `json:"sign"`
	TemplateID string            `json:"templateId"`
	Values     map[string]string `json:"values"`
	Text       string            `json:"text"`
	BizID      string            `json:"bizId"`
	Ref        string            `json:"ref,omitempty"`
	At         time.Time         `json:"at"`
	Read       bool              `json:"read"`
}

// SMS derives the identifiers that the two gateways take: they are not kept, so that older folders have them too.
func (c Credentials) SMS() SMSOptions {
	h := sha256.Sum256([]byte("sms:" + c.APIv3Key))
	x := hex.EncodeToString(h[:])
	n, _ := strconv.ParseUint(x[:8], 16, 64) // eight hexadecimal digits always parse
	return SMSOptions{SecretID: "AKIDsandbox" + x[8:24], SecretKey: x[24:56], AppID: fmt.Sprintf("1999%06d", n%1_000_000)}
}

var smsValue = regexp.MustCompile(`\$\{([A-Za-z][A-Za-z0-9_]*)\}`)

// names are the values of a template in the order of their first appearance.
func (t SMSTemplate) names() []string {
	var out []string
	for _, m := range smsValue.FindAllStringSubmatch(t.Text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

func (s *Sandbox) smsTemplate(id string) (SMSTemplate, bool) {
	i := slices.IndexFunc(s.o.SMS.Templates, func(t SMSTemplate) bool { return t.ID == id })
	if i < 0 {
		return SMSTemplate{}, false
	}
	return s.o.SMS.Templates[i], true
}

func (s *Sandbox) smsRoutes(m *http.ServeMux) {
	m.HandleFunc("POST /sms/tencent/{$}", s.tencentSMS)
	m.HandleFunc("POST /sms/aliyun/{$}", s.aliyunSMS)
	m.HandleFunc("POST /phone/texts/read", s.withPersona(func(p Persona, _ *http.Request) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, x := range s.st.Texts {
			if x.Phone == p.Phone && !x.Read {
				x.Read = true
				s.touch()
			}
		}
		return map[string]bool{"ok": true}, nil
	}))
}

// Texts lists the text messages of a phone number, oldest first; "" lists everybody's.
func (s *Sandbox) Texts(phone string) []TextMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []TextMessage{}
	for _, x := range s.st.Texts {
		if phone == "" || x.Phone == phone {
			out = append(out, *x)
		}
	}
	return out
}

// What can be wrong with a message that was signed well. The providers have their own words for each.
type smsProblem int

const (
	smsFine smsProblem = iota
	smsBadPhone
	smsBadSign
	smsBadTemplate
	smsBadValues
	smsTooSoon
	smsTooMany
)

// deliverText checks a message and puts it on the phone. The caller has verified the signature.
func (s *Sandbox) deliverText(x TextMessage, values []string) (TextMessage, smsProblem) {
	t, ok := s.smsTemplate(x.TemplateID)
	names := t.names()
	switch {
	case !phoneForm.MatchString(x.Phone):
		return x, smsBadPhone
	case !slices.Contains(s.o.SMS.Signs, x.Sign):
		return x, smsBadSign
	case !ok:
		return x, smsBadTemplate
	case values != nil && len(values) != len(names):
		return x, smsBadValues
	}
	if values != nil {
		x.Values = map[string]string{}
		for i, n := range names {
			x.Values[n] = values[i]
		}
	}
	text := t.Text
	for _, n := range names {
		v, ok := x.Values[n]
		if !ok || v == "" || len([]rune(v)) > 35 || t.Code && (len(v) > 6 || strings.Trim(v, "0123456789") != "") {
			return x, smsBadValues
		}
		text = strings.ReplaceAll(text, "${"+n+"}", v)
	}
	x.Text, x.At = "【"+x.Sign+"】"+text, s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Code {
		day := 0
		for _, o := range s.st.Texts {
			if o.Phone != x.Phone || o.TemplateID != x.TemplateID {
				continue
			}
			if age := x.At.Sub(o.At); age >= 0 && age < 30*time.Second {
				return x, smsTooSoon
			}
			if o.At.In(cst).Format(time.DateOnly) == x.At.In(cst).Format(time.DateOnly) {
				day++
			}
		}
		if day >= 10 {
			return x, smsTooMany
		}
	}
	x.ID = s.next()
	x.BizID = fmt.Sprintf("%d:%d", x.At.UnixMilli(), x.ID)
	if s.takeFaultLocked("sms", "/sms/"+x.Provider, nil, "lose") == nil { // accepted and paid, but the operator loses it
		s.st.Texts = append(s.st.Texts, &x)
	}
	s.touch()
	return x, smsFine
}

// phoneTexts are the newest text messages of the persona's number.
func (s *Sandbox) phoneTexts(p Persona) []TextMessage {
	all := s.Texts(p.Phone)
	if len(all) > phoneListMax {
		all = all[len(all)-phoneListMax:]
	}
	return all
}
