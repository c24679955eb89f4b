// Package fault is the one error type that may leave the server.
//
// Model: an Error has a Kind (what class, and so which HTTP status), a registered Code ("wallet.insufficient_balance"),
// a Message in Chinese that is safe to show and says what to do, optional Fields and Detail, and a hidden cause.
// Owns: the register of codes. Invariants: a Code is defined once; an error that is no *Error is shown as internal,
// never with its own text (N36).
package fault

import (
	"errors"
	"fmt"
	"sort"
)

// Kind classes an error.
type Kind int

// The kinds, each with its HTTP status.
const (
	Internal     Kind = 500 // everything unforeseen: generic text and request id
	Malformed    Kind = 400 // the request cannot be read
	Unauthorized Kind = 401 // no session, or it ended
	Forbidden    Kind = 403 // the session lacks the permission
	NotFound     Kind = 404 // not there, or somebody else's
	Conflict     Kind = 409 // the state does not allow it
	Invalid      Kind = 422 // read, but a value is not acceptable
	TooMany      Kind = 429 // slow down
	Unavailable  Kind = 503 // try again later; nothing was done
)

// Field is a complaint about one input field, by its JSON path.
type Field struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error is a fault with a code and a safe message.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Fields  []Field
	Detail  any // JSON-safe data that helps the client go on, such as the new quote
	cause   error
}

// Error returns code and cause: for logs only.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.cause.Error()
	}
	return e.Code
}

// Unwrap returns the hidden cause.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is(err, ErrX) true for every fault with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// With returns a copy that carries the hidden cause.
func (e *Error) With(cause error) *Error { c := *e; c.cause = cause; return &c }

// Say returns a copy with another safe message.
func (e *Error) Say(format string, args ...any) *Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// On returns a copy that blames a field, with its message.
func (e *Error) On(field, message string) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), Field{field, message})
	return &c
}

// Give returns a copy that carries detail for the client.
func (e *Error) Give(detail any) *Error { c := *e; c.Detail = detail; return &c }

var registry = map[string]*Error{}

// Define registers a code with its kind and default message. It is called from package-level variables only and
// panics on a second definition, so that the union of codes that TypeScript gets is closed and exact.
func Define(kind Kind, code, message string) *Error {
	if _, dup := registry[code]; dup {
		panic("fault: code defined twice: " + code)
	}
	e := &Error{Kind: kind, Code: code, Message: message}
	registry[code] = e
	return e
}

// Codes lists every registered code, sorted.
func Codes() []string {
	out := make([]string, 0, len(registry))
	for c := range registry {
		out = append(out, c)
	}
	sort.Strings(out)
	return out
}

// The faults that belong to no slice.
var (
	ErrInternal    = Define(Internal, "internal", "系统出了点问题，请稍后再试；若一直如此，请把编号告诉我们")
	ErrMalformed   = Define(Malformed, "request.malformed", "请求格式不正确，请更新到最新版本后再试")
	ErrInvalid     = Define(Invalid, "request.invalid", "有内容没填对，请检查标出的地方")
	ErrTooLarge    = Define(Kind(413), "request.too_large", "内容太大，请缩减后再试")
	ErrNotFound    = Define(NotFound, "not_found", "没有找到，可能已被删除")
	ErrMethod      = Define(Kind(405), "request.method", "不支持这样的操作")
	ErrNoSession   = Define(Unauthorized, "session.required", "请先登录")
	ErrExpired     = Define(Unauthorized, "session.expired", "登录已过期，请重新登录")
	ErrForbidden   = Define(Forbidden, "permission.denied", "您没有这项权限，请联系店长")
	ErrStore       = Define(Forbidden, "permission.store", "您不属于这家门店，请切换门店")
	ErrCSRF        = Define(Forbidden, "session.csrf", "请求来源不明，请刷新页面后再试")
	ErrTooMany     = Define(TooMany, "request.too_many", "操作太频繁，请稍等片刻再试")
	ErrUnavailable = Define(Unavailable, "unavailable", "系统正忙，请稍后再试，您的操作没有生效")
	ErrReadOnly    = Define(Unavailable, "storage.full", "存储空间不足，暂时不能保存，请联系管理员；您的操作没有生效")
	ErrBusyWrite   = Define(Conflict, "request.conflict", "刚刚有人改动过，请刷新后再试")
)

// As returns the fault in err's chain; every other error becomes ErrInternal with err as hidden cause. nil stays nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return ErrInternal.With(err)
}
