package wxsandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const maxBody = 1 << 20

func (s *Sandbox) routes() http.Handler {
	m := http.NewServeMux()
	s.apiRoutes(m)
	s.oauthRoutes(m)
	s.payRoutes(m)
	s.smsRoutes(m)
	s.controlRoutes(m)
	s.phoneRoutes(m)
	s.bridgeRoutes(m)
	s.chatRoutes(m)
	return s.bounded(s.faulty(m))
}

// bounded reads the whole body first, refuses more than maxBody, and leaves the handler a body it can read again.
func (s *Sandbox) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			var big *http.MaxBytesError
			status := http.StatusBadRequest
			if errors.As(err, &big) {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, http.StatusText(status), status)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func readBody(r *http.Request) []byte {
	b, _ := io.ReadAll(r.Body) // bounded has read it already; reading memory cannot fail
	r.Body = io.NopCloser(bytes.NewReader(b))
	return b
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "encoding failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// faulty applies the injected faults to the three WeChat hosts' paths.
func (s *Sandbox) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := faultTarget(r.URL.Path)
		if target == "" {
			next.ServeHTTP(w, r)
			return
		}
		seen := map[int]bool{} // an endless delay acts once per request
		for {
			f := s.takeFault(target, r.URL.Path, seen, "delay", "drop", "drop_after", "timeout", "status", "errcode", "forge", "unsigned")
			if f == nil {
				next.ServeHTTP(w, r)
				return
			}
			seen[f.ID] = true
			switch f.Kind {
			case "delay":
				if !s.waitRequest(r, time.Duration(f.DelayMs)*time.Millisecond) {
					return
				}
				continue // another fault may wait behind the delay
			case "drop":
				dropConnection(w)
			case "drop_after":
				// The request acts, its answer is lost: the case that doubles refunds.
				next.ServeHTTP(newDiscard(), r)
				dropConnection(w)
			case "timeout":
				d := time.Duration(f.DelayMs) * time.Millisecond
				if d <= 0 {
					d = time.Minute
				}
				s.waitRequest(r, d)
				dropConnection(w)
			case "status":
				writeJSON(w, f.status(), map[string]string{"code": "SYSTEM_ERROR", "message": "系统繁忙，请稍后重试"})
			case "errcode":
				if target == "pay.api" {
					writeJSON(w, payStatusOf(string(f.Value)), map[string]string{"code": string(f.Value), "message": payMessageOf(string(f.Value))})
				} else {
					writeJSON(w, http.StatusOK, apiErr(f.code(), ""))
				}
			case "forge":
				next.ServeHTTP(&tamper{ResponseWriter: w, forge: true}, r)
			case "unsigned":
				next.ServeHTTP(&tamper{ResponseWriter: w}, r)
			}
			return
		}
	})
}

func faultTarget(path string) string {
	switch {
	case strings.HasPrefix(path, "/v3/"):
		return "pay.api"
	case strings.HasPrefix(path, "/sms/"):
		return "sms"
	case strings.HasPrefix(path, "/connect/"), strings.HasPrefix(path, "/sns/oauth2/"), path == "/sns/userinfo", path == "/sns/auth":
		return "oauth"
	case strings.HasPrefix(path, "/sns/"), strings.HasPrefix(path, "/cgi-bin/"), strings.HasPrefix(path, "/wxa/"):
		return "api"
	}
	return ""
}

// waitRequest waits until d has passed; false means the client went away or the sandbox closed.
func (s *Sandbox) waitRequest(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
	return false
}

// dropConnection closes the connection without an answer.
func dropConnection(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
		return
	}
	panic(http.ErrAbortHandler) // HTTP/2 cannot hijack; net/http resets the stream
}

type discard struct{ h http.Header }

func newDiscard() *discard                     { return &discard{h: http.Header{}} }
func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// tamper breaks or removes the signature of an answer on its way out.
type tamper struct {
	http.ResponseWriter
	forge bool
}

func (t *tamper) WriteHeader(status int) {
	h := t.Header()
	if t.forge {
		h.Set("Wechatpay-Nonce", randomHex(16))
	} else {
		for _, k := range []string{"Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"} {
			h.Del(k)
		}
	}
	t.ResponseWriter.WriteHeader(status)
}
