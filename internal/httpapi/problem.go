package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/liangche/liangche/internal/fault"
)

// Problem is the body of every answer that is no success.
type Problem struct {
	status    int
	Code      FaultCode     `json:"code" doc:"What went wrong, from a closed list"`
	Message   string        `json:"message" doc:"Says what to do, in Chinese; safe to show"`
	Fields    []fault.Field `json:"fields,omitempty" doc:"Complaints about single fields"`
	Detail    any           `json:"detail,omitempty" doc:"Data that helps to go on, such as the new quote"`
	RequestID string        `json:"requestId"`
}

// FaultCode is a registered fault code.
type FaultCode string

// Schema lists every code in the contract, so that a typed client gets a closed union.
func (FaultCode) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, c := range fault.Codes() {
		s.Enum = append(s.Enum, c)
	}
	return s
}

// Error returns the code.
func (p *Problem) Error() string { return string(p.Code) }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.status }

// newProblem replaces huma's own errors: its texts are English and echo the input.
func newProblem(c huma.Context, status int, msg string, errs ...error) huma.StatusError {
	for _, err := range errs {
		var p *Problem
		if errors.As(err, &p) {
			return p
		}
	}
	f := byStatus(status)
	p := &Problem{status: int(f.Kind), Code: FaultCode(f.Code), Message: f.Message}
	if c != nil {
		p.RequestID = RequestID(c.Context())
	}
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue
		}
		e := d.ErrorDetail()
		loc := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(e.Location, "body."), "query."), "path.")
		p.Fields = append(p.Fields, fault.Field{Field: loc, Message: complaint(e.Message)})
	}
	_ = msg // never shown: it may repeat what the client sent
	return p
}

func byStatus(status int) *fault.Error {
	switch {
	case status == http.StatusUnprocessableEntity:
		return fault.ErrInvalid
	case status == http.StatusRequestEntityTooLarge:
		return fault.ErrTooLarge
	case status == http.StatusNotFound:
		return fault.ErrNotFound
	case status == http.StatusMethodNotAllowed:
		return fault.ErrMethod
	case status == http.StatusTooManyRequests:
		return fault.ErrTooMany
	case status == http.StatusServiceUnavailable:
		return fault.ErrUnavailable
	case status >= 400 && status < 500:
		return fault.ErrMalformed
	}
	return fault.ErrInternal
}

// complaint says in Chinese what huma's validator means; the numbers in its texts are limits, never input.
func complaint(msg string) string {
	rules := []struct{ has, say string }{
		{"required", "必填"}, {"unexpected property", "多余的内容，请更新到最新版本"}, {"unknown query", "不支持这个参数"},
		{"expected number", "应为数字"}, {"expected integer", "应为整数"}, {"expected string", "应为文字"}, {"expected boolean", "应为是或否"},
		{"expected array", "应为列表"}, {"expected object", "格式不正确"}, {"one of", "不在可选范围内"},
	}
	var n string
	if i := strings.LastIndexAny(msg, " "); i >= 0 {
		n = strings.Trim(msg[i+1:], " ")
	}
	num := func(format string) string {
		if n == "" || strings.IndexFunc(n, func(r rune) bool { return (r < '0' || r > '9') && r != '-' && r != '.' }) >= 0 {
			return "超出允许的范围"
		}
		return fmt.Sprintf(format, n)
	}
	switch {
	case strings.Contains(msg, ">="):
		if strings.Contains(msg, "length") {
			return num("至少 %s 个字")
		}
		return num("不能小于 %s")
	case strings.Contains(msg, "<="):
		if strings.Contains(msg, "length") {
			return num("最多 %s 个字")
		}
		return num("不能大于 %s")
	}
	for _, r := range rules {
		if strings.Contains(msg, r.has) {
			return r.say
		}
	}
	return "格式不正确"
}

func writeProblem(c huma.Context, p *Problem) {
	c.SetHeader("Content-Type", "application/json; charset=utf-8")
	c.SetHeader("Cache-Control", "no-store")
	c.SetStatus(p.status)
	_ = json.NewEncoder(c.BodyWriter()).Encode(p)
}

// WriteFault answers a raw route with a fault.
func WriteFault(w http.ResponseWriter, req *http.Request, err error) {
	f := fault.As(err)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(int(f.Kind))
	_ = json.NewEncoder(w).Encode(&Problem{Code: FaultCode(f.Code), Message: f.Message, Fields: f.Fields, Detail: f.Detail, RequestID: RequestID(req.Context())})
}

// echoError answers what never reached an operation: unknown route, wrong method, panic.
func (r *Router) echoError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	f := fault.As(err)
	var he *echo.HTTPError
	if errors.As(err, &he) {
		f = byStatus(he.Code)
	}
	if f.Kind == fault.Internal {
		r.opt.Log.ErrorContext(c.Request().Context(), "request failed", "request", RequestID(c.Request().Context()), "cause", err)
	}
	WriteFault(c.Response(), c.Request(), f)
}
