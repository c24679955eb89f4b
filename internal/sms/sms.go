// Package sms sends one text message through the provider that the shop has a contract with.
//
// Model: a Message names an approved template and its values; a Sender hands it to a provider over its signed HTTPS API.
// The adapters are written by hand and small: Tencent Cloud (SendSms 2021-01-11, TC3-HMAC-SHA256) and Alibaba Cloud
// (dysmsapi SendSms 2017-05-25, ACS3-HMAC-SHA256).
// Owns: nothing.
// Invariants: only the configured host is dialled and no redirect is followed; every call ends in time; no error holds a
// key, a phone number or the text. Neither provider recognises a repeat: who tries again after an Uncertain error may
// reach the phone twice.
package sms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
)

// The providers.
const (
	None    = ""
	Tencent = "tencent"
	Aliyun  = "aliyun"
)

// Message is one text message to one mainland phone.
type Message struct {
	Phone      string  // 11 digits
	TemplateID string  // of an approved template
	Sign       string  // the approved signature, without 【】; "" is the configured one
	Params     []Param // the template's values: Tencent Cloud counts them, Alibaba Cloud names them
	Ref        string  // ours, up to 64 characters; comes back in receipts
}

// Param is one value of a template.
type Param struct{ Name, Value string }

// Sender sends; bizID is the provider's own number of the message. Every error is an *Error.
type Sender interface {
	Send(ctx context.Context, m Message) (bizID string, err error)
}

// Config says which provider, and who the shop is there.
type Config struct {
	Provider  string // None, Tencent or Aliyun
	Region    string // "" is the provider's usual one
	AppID     string // Tencent Cloud: SmsSdkAppId
	SecretID  string // Alibaba Cloud: AccessKeyId
	SecretKey string // Alibaba Cloud: AccessKeySecret
	Sign      string // for messages that bring none
	Endpoint  string // "" is the provider's own
	Timeout   time.Duration
	Clock     clock.Clock
}

// Class says what a failure means for the caller.
type Class string

// The classes of failure.
const (
	Unavailable   Class = "unavailable"    // no answer, or the provider has trouble: try again
	Rejected      Class = "rejected"       // wrong number, template, signature or key: never, until somebody changes something
	Limited       Class = "limited"        // too many for now, or the package of messages is used up: wait
	NotConfigured Class = "not_configured" // no provider, no template or no signature
)

// Error is every failure of this package.
type Error struct {
	Class     Class
	Code      string // the provider's own, such as LimitExceeded.PhoneNumberDailyLimit; "" when there was no answer
	Uncertain bool   // the message may be on its way all the same
	cause     error  // without address, key and number
}

// Error names class, code and cause.
func (e *Error) Error() string {
	s := "sms: " + string(e.Class)
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// ClassOf is the class of an error: "" for nil, Unavailable for one that is not of this package.
func ClassOf(err error) Class {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Class
	}
	return Unavailable
}

// Endpoint is the address of a provider.
func Endpoint(provider string) string {
	switch provider {
	case Tencent:
		return "https://sms.tencentcloudapi.com"
	case Aliyun:
		return "https://dysmsapi.aliyuncs.com"
	}
	return ""
}

// New returns the provider's adapter. It returns an error for an unknown provider and an address that is none.
func New(c Config) (Sender, error) {
	if c.Provider == None {
		return nobody{}, nil
	}
	if c.Endpoint == "" {
		c.Endpoint = Endpoint(c.Provider)
	}
	u, err := url.Parse(strings.TrimRight(c.Endpoint, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" {
		return nil, errors.New("sms: the endpoint is no absolute http(s) address")
	}
	if c.Clock == nil {
		return nil, errors.New("sms: a clock is required")
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	w := wire{base: u, c: c, http: &http.Client{Timeout: c.Timeout, Transport: dialOnly(u.Host),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	switch c.Provider {
	case Tencent:
		return tencent{w}, nil
	case Aliyun:
		return aliyun{w}, nil
	}
	return nil, fmt.Errorf("sms: unknown provider %q", c.Provider)
}

type nobody struct{}

func (nobody) Send(context.Context, Message) (string, error) {
	return "", &Error{Class: NotConfigured}
}

// wire is what the adapters share: the one host they may talk to.
type wire struct {
	base *url.URL
	c    Config
	http *http.Client
}

// oneHost refuses every request to another host.
type oneHost struct {
	host string
	next http.RoundTripper
}

func (o oneHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != o.host {
		return nil, errors.New("not the configured host")
	}
	return o.next.RoundTrip(r)
}

func dialOnly(host string) http.RoundTripper {
	dial := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}
	return oneHost{host, &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8,
		IdleConnTimeout: 60 * time.Second, TLSHandshakeTimeout: 3 * time.Second}}
}

var mobile = regexp.MustCompile(`^1[3-9][0-9]{9}$`)

// check completes a message and refuses what no provider takes.
func (w wire) check(m Message) (Message, error) {
	if m.Sign == "" {
		m.Sign = w.c.Sign
	}
	switch {
	case m.TemplateID == "" || m.Sign == "":
		return m, &Error{Class: NotConfigured}
	case !mobile.MatchString(m.Phone):
		return m, &Error{Class: Rejected, cause: errors.New("no mainland mobile number")}
	case len(m.Ref) > 64:
		return m, &Error{Class: Rejected, cause: errors.New("the reference is too long")}
	}
	return m, nil
}

// maxAnswer bounds what is read of an answer; real ones have a few hundred bytes.
const maxAnswer = 64 << 10

// do sends a signed request. The address and the query stay out of the error: they hold the number.
func (w wire) do(r *http.Request) (status int, body []byte, err error) {
	resp, err := w.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		var op *net.OpError
		dialling := errors.As(err, &op) && op.Op == "dial"
		return 0, nil, &Error{Class: Unavailable, Uncertain: !dialling, cause: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, &Error{Class: Unavailable, Uncertain: true, cause: errors.New("the answer broke off")}
	}
	return resp.StatusCode, body, nil
}

// unreadable is the error for an answer that is not the provider's.
func unreadable(status int) *Error {
	e := &Error{Class: Unavailable, Uncertain: status < 300, cause: fmt.Errorf("HTTP status %d", status)}
	if status == http.StatusTooManyRequests {
		e.Class = Limited
	}
	return e
}

var codeForm = regexp.MustCompile(`^[A-Za-z0-9_.\-]{1,80}$`)

// codeOf lets only something that looks like an error code into an error.
func codeOf(s string) string {
	if codeForm.MatchString(s) {
		return s
	}
	return "?"
}

// Uncertain says whether the message may be on its way although there was an error.
func Uncertain(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Uncertain
}
