package wechat

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/silenceper/wechat/v2/util"
	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"github.com/liangche/liangche/internal/fault"
)

// Class says what a failure means for the caller.
type Class string

// The classes of failure.
const (
	Unavailable   Class = "unavailable"    // time-out, refused connection, 5xx, unreadable or wrongly signed answer: try again
	BadCode       Class = "bad_code"       // a login, OAuth or phone code is wrong, used or too old: get a new one
	Refused       Class = "refused"        // the user does not want it: no grant left (43101), not following (43004)
	Quota         Class = "quota"          // too many calls: later
	NotFound      Class = "not_found"      // WeChat Pay says that there is no such order or refund
	Paid          Class = "paid"           // the order is paid already
	Closed        Class = "closed"         // the order is closed already
	Snapshot      Class = "snapshot"       // the visitor is a virtual user of a preview page
	Forged        Class = "forged"         // a notification that WeChat Pay did not sign, or that does not decrypt
	Rejected      Class = "rejected"       // everything else: WeChat will not do it, however often it is asked
	NotConfigured Class = "not_configured" // the shop has no such app or merchant number
)

// Error is every failure of this package. Its text never holds a secret, a token or a code.
type Error struct {
	Class Class
	Code  string // WeChat's own: "40029", "ORDERPAID"; "" when there was no answer
	Op    string // what was tried
	cause error  // redacted
}

// Error names operation, class, WeChat's code and the redacted cause.
func (e *Error) Error() string {
	s := "wechat: " + e.Op + ": " + string(e.Class)
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the redacted cause.
func (e *Error) Unwrap() error { return e.cause }

// ClassOf is the class of an error of this package, "" for nil and Unavailable for foreign errors.
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

// CodeOf is WeChat's own code in an error of this package, "" when there is none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Unsure says whether WeChat may have done what was asked although no answer came: the connection was there, then it was silent or broke.
// What could not be dialled, and what was answered with an error, was not done.
func Unsure(err error) bool {
	if err == nil || ClassOf(err) != Unavailable || CodeOf(err) != "" {
		return false
	}
	var e *Error
	if errors.As(err, &e) {
		if err = e.cause; err == nil {
			return false
		}
	}
	text := err.Error()
	return !strings.Contains(text, "statusCode=") && !strings.Contains(text, "dial ")
}

// The faults that an owner or a member of staff may see.
var (
	ErrUnavailable   = fault.Define(fault.Unavailable, "wechat.unavailable", "微信暂时连不上，请稍后再试")
	ErrBadCode       = fault.Define(fault.Invalid, "wechat.code_invalid", "微信授权已失效，请重新操作一次")
	ErrRefused       = fault.Define(fault.Conflict, "wechat.refused", "对方没有允许接收这条消息")
	ErrQuota         = fault.Define(fault.TooMany, "wechat.quota", "微信接口正忙，请一分钟后再试")
	ErrPhoneQuota    = fault.Define(fault.Unavailable, "wechat.phone_quota", "暂时不能一键获取手机号，请手动填写")
	ErrSnapshot      = fault.Define(fault.Forbidden, "wechat.snapshot", "当前是预览模式，请点页面下方“使用完整服务”后再试")
	ErrRejected      = fault.Define(fault.Unavailable, "wechat.rejected", "微信没有受理，请稍后再试；若一直如此请联系门店")
	ErrNotConfigured = fault.Define(fault.Unavailable, "wechat.not_configured", "门店还没有开通这项微信功能，请联系门店")
)

// Fault maps an error of this package to the fault that a handler may return; other errors pass unchanged.
func Fault(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Class {
	case Unavailable:
		return ErrUnavailable.With(err)
	case BadCode:
		return ErrBadCode.With(err)
	case Refused:
		return ErrRefused.With(err)
	case Snapshot:
		return ErrSnapshot.With(err)
	case NotConfigured:
		return ErrNotConfigured.With(err)
	case Quota:
		if e.Code == "1400001" {
			return ErrPhoneQuota.With(err)
		}
		return ErrQuota.With(err)
	}
	return ErrRejected.With(err)
}

var (
	secrets   = regexp.MustCompile(`(?i)(secret|access_token|refresh_token|js_code|code|session_key|token)=[^&\s"']+`)
	errcode   = regexp.MustCompile(`errcode=(-?[0-9]+)`)
	codeForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	wornCodes = []string{"40001", "40014", "42001"}
)

// redact removes what must not be logged. "errcode=40029" stays: it is no secret.
func redact(s string) string {
	return secrets.ReplaceAllStringFunc(s, func(m string) string {
		k, v, _ := strings.Cut(m, "=")
		if strings.EqualFold(k, "code") && len(v) <= 6 {
			return m
		}
		return k + "=***"
	})
}

// redacted keeps what errors.Is can find in the cause without its text.
type redacted struct {
	text string
	is   error
}

func (r redacted) Error() string { return r.text }
func (r redacted) Unwrap() error { return r.is }

func hide(err error) error {
	r := redacted{text: redact(err.Error())}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			r.is = known
		}
	}
	return r
}

// classify unifies what the platform's SDK returns: *util.CommonError, plain texts with an errcode, transport errors.
func classify(op string, err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	code := ""
	var ce *util.CommonError
	if errors.As(err, &ce) {
		code = fmt.Sprint(ce.ErrCode)
	} else if m := errcode.FindStringSubmatch(err.Error()); m != nil {
		code = m[1]
	}
	return &Error{Class: apiClass(code), Code: code, Op: op, cause: hide(err)}
}

func apiClass(code string) Class {
	switch code {
	case "", "-1", "40001", "40014", "42001":
		return Unavailable
	case "40029", "40163", "41008", "61010", "40226":
		return BadCode
	case "43101", "43004":
		return Refused
	case "45009", "45011", "45047", "1400001":
		return Quota
	}
	return Rejected
}

func tokenWorn(err error) bool { return slices.Contains(wornCodes, CodeOf(err)) }

// classifyPay unifies what wechatpay-go returns. Its own core.IsAPIError misses wrapped errors.
func classifyPay(op string, err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	var ae *core.APIError
	if !errors.As(err, &ae) {
		return &Error{Class: Unavailable, Op: op, cause: hide(err)}
	}
	// The SDK's text repeats all headers: code and message say enough.
	return &Error{Class: payClass(ae.StatusCode, ae.Code), Code: ae.Code, Op: op,
		cause: redacted{text: fmt.Sprintf("status %d: %s", ae.StatusCode, redact(ae.Message))}}
}

// payClass accepts both spellings in which WeChat Pay writes its codes: ORDERPAID and ORDER_PAID.
func payClass(status int, code string) Class {
	switch strings.ReplaceAll(code, "_", "") {
	case "ORDERPAID":
		return Paid
	case "ORDERCLOSED":
		return Closed
	case "ORDERNOTEXIST", "RESOURCENOTEXISTS", "NOSTATEMENTEXIST":
		return NotFound
	case "SYSTEMERROR", "BANKERROR", "STATEMENTCREATING", "NOTENOUGH", "USERPAYING":
		return Unavailable
	case "FREQUENCYLIMITED", "RATELIMITEXCEEDED", "RULELIMIT":
		return Quota
	}
	switch {
	case status == 429:
		return Quota
	case status >= 500, status == 408:
		return Unavailable
	}
	return Rejected
}
