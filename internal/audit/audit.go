// Package audit keeps the trail of who did what.
//
// Model: an entry names the actor, the action, the subject, the store, the address and a JSON detail.
// Owns: audit_log. Invariants: an entry is written in the transaction of what it records, so neither exists without
// the other; entries are only ever added; detail and labels hold no full mobile number, password, token or secret.
package audit

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Entry is what a use case reports. Actor, address and instant come from the context and the transaction.
type Entry struct {
	Action       string // "member.freeze": see labels.go
	SubjectKind  string // "member", "staff", "order"…
	SubjectID    int64
	SubjectLabel string // how people recognise it: an order number, a masked name
	StoreID      int64  // 0 when it belongs to no store
	Detail       any    // JSON; mobile numbers and secrets are struck out before it is stored
}

// maxDetail bounds the stored detail, in bytes.
const maxDetail = 16 << 10

var (
	mobile    = regexp.MustCompile(`(^|\D)(1[3-9]\d)\d{4}(\d{4})(\D|$)`)
	secretKey = regexp.MustCompile(`(?i)^(.*(password|passwd|secret|token|openid|unionid).*|code|invite_?code)$`)
)

// Scrub masks every mainland mobile number in s: 138****8000.
func Scrub(s string) string {
	for range 2 { // neighbours share a separator, which one pass consumes
		s = mobile.ReplaceAllString(s, "$1$2****$3$4")
	}
	return s
}

// scrubbed marshals detail with mobile numbers masked and the values of secret-sounding keys struck out.
func scrubbed(detail any) (string, error) {
	if detail == nil {
		return "{}", nil
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return "", err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", err
	}
	out, err := json.Marshal(walk(v))
	if err != nil {
		return "", err
	}
	if len(out) > maxDetail {
		return `{"truncated":true}`, nil
	}
	return string(out), nil
}

func walk(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if _, isText := x.(string); isText && secretKey.MatchString(k) {
				v[k] = "***"
				continue
			}
			v[k] = walk(x)
		}
		return v
	case []any:
		for i := range v {
			v[i] = walk(v[i])
		}
		return v
	case string:
		return Scrub(v)
	case json.Number:
		if s := Scrub(v.String()); s != v.String() {
			return s
		}
	}
	return v
}

// clip cuts s to n runes, so that a long label never makes the command fail.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
