package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
)

type ctxKey struct{}

// request is what the edge knows of the running request; it travels in the context.
type request struct {
	id, ip string
	res    http.ResponseWriter
	req    *http.Request
}

func of(ctx context.Context) *request { r, _ := ctx.Value(ctxKey{}).(*request); return r }

// RequestID is the id of the request in ctx: it stands in the answer of a fault, in X-Request-Id and in the log.
func RequestID(ctx context.Context) string {
	if r := of(ctx); r != nil {
		return r.id
	}
	return ""
}

// ClientIP is the address of the client in ctx.
func ClientIP(ctx context.Context) string {
	if r := of(ctx); r != nil {
		return r.ip
	}
	return ""
}

// SetCookie adds a cookie to the answer of the running operation.
func SetCookie(ctx context.Context, c *http.Cookie) {
	if r := of(ctx); r != nil {
		http.SetCookie(r.res, c)
	}
}

// Cookie reads a cookie of the running operation's request; "" when absent.
func Cookie(ctx context.Context, name string) string {
	if r := of(ctx); r != nil {
		if c, err := r.req.Cookie(name); err == nil {
			return c.Value
		}
	}
	return ""
}

// CSP is the policy of every page: nothing from elsewhere, no inline script.
func (r *Router) csp() string {
	fa := r.opt.FrameAncestors
	if fa == "" {
		fa = "'none'"
	}
	return "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
		"connect-src 'self'; media-src 'self' blob:; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors " + fa
}

// middleware is the edge, outermost first: recover, context, headers, timing.
func (r *Router) middleware() {
	// What is the same in every answer is made once; the keys are in the form that they leave in.
	always := map[string][]string{
		"Content-Security-Policy":    {r.csp()},
		"X-Content-Type-Options":     {"nosniff"},
		"Referrer-Policy":            {"same-origin"},
		"Permissions-Policy":         {"camera=(self), geolocation=(self), microphone=()"},
		"Cross-Origin-Opener-Policy": {"same-origin"},
	}
	if r.opt.HSTS {
		always["Strict-Transport-Security"] = []string{"max-age=31536000"}
	}
	noStore := []string{"no-store"}
	r.Echo.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			req, res := c.Request(), c.Response()
			rid := secret.Token(9)
			ctx := context.WithValue(req.Context(), ctxKey{}, &request{rid, r.clientIP(req), res, req})
			c.SetRequest(req.WithContext(ctx))
			h := res.Header()
			h.Set("X-Request-Id", rid)
			maps.Copy(h, always)
			if strings.HasPrefix(req.URL.Path, "/api/") {
				h["Cache-Control"] = noStore
			}
			took := clock.Stopwatch()
			defer func() {
				if p := recover(); p != nil {
					r.opt.Log.ErrorContext(ctx, "panic", "request", rid, "value", fmt.Sprint(p), "stack", string(debug.Stack()))
					r.echoError(fault.ErrInternal, c)
				}
				// A stream lasts as long as somebody looks: its length says nothing about the service.
				if r.opt.Observe != nil && !strings.HasPrefix(h.Get("Content-Type"), eventStream) {
					r.opt.Observe(req.Method+" "+c.Path(), res.Status, took().Seconds())
				}
				if r.opt.Log.Enabled(ctx, slog.LevelDebug) {
					r.opt.Log.DebugContext(ctx, "request", "method", req.Method, "route", c.Path(), "status", res.Status, "ms", took().Milliseconds(), "request", rid)
				}
			}()
			if err := next(c); err != nil {
				r.echoError(err, c)
			}
			return nil
		}
	})
}

func (r *Router) clientIP(req *http.Request) string {
	if r.opt.TrustProxy {
		// The proxy appends the address that it saw: the last one is the only one that a client cannot invent.
		parts := strings.Split(req.Header.Get("X-Forwarded-For"), ",")
		if a, err := netip.ParseAddr(strings.TrimSpace(parts[len(parts)-1])); err == nil {
			return a.String()
		}
	}
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return req.RemoteAddr
	}
	return host
}

// Limiter refuses more than a burst of calls per key, refilled at a steady rate; idle keys are forgotten. A key that is an address stands for its network.
type Limiter struct {
	mu    sync.Mutex
	rate  rate.Limit
	burst int
	keys  map[string]*rate.Limiter

	sweepAt int // how many keys are looked through
}

const sweepFrom = 10_000

// NewLimiter allows burst calls at once and then one per interval.
func NewLimiter(interval time.Duration, burst int) *Limiter {
	return &Limiter{rate: rate.Every(interval), burst: burst, keys: map[string]*rate.Limiter{}, sweepAt: sweepFrom}
}

// Allow counts a call at instant now. Fault: fault.ErrTooMany.
func (l *Limiter) Allow(now time.Time, key string) error {
	_, err := l.take(now, key)
	return err
}

// take is Allow with a way back: back takes the call out of the count. Fault: fault.ErrTooMany.
func (l *Limiter) take(now time.Time, key string) (back func(), err error) {
	r := l.bucket(now, key).ReserveN(now, 1)
	if !r.OK() || r.DelayFrom(now) > 0 {
		r.CancelAt(now)
		return nil, fault.ErrTooMany
	}
	return func() { r.CancelAt(now) }, nil
}

// spent says whether the key has no call left; it counts nothing.
func (l *Limiter) spent(now time.Time, key string) bool { return l.bucket(now, key).TokensAt(now) < 1 }

func (l *Limiter) bucket(now time.Time, key string) *rate.Limiter {
	key = actor.Network(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) >= l.sweepAt { // a flood of keys must not grow the memory: full buckets carry no information
		for k, b := range l.keys {
			if b.TokensAt(now) >= float64(l.burst) {
				delete(l.keys, k)
			}
		}
		l.sweepAt = max(sweepFrom, 2*len(l.keys)) // or each call of the flood would look at all the others
	}
	b, ok := l.keys[key]
	if !ok {
		b = rate.NewLimiter(l.rate, l.burst)
		l.keys[key] = b
	}
	return b
}
