package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/liangche/liangche/internal/h5"
)

// pages adds what is no operation of the contract: callbacks, pages, health.
func (a *App) pages() {
	r := a.Router
	r.Raw(http.MethodGet, "/hooks/oauth/start", a.Members.OAuthStart())
	r.Raw(http.MethodGet, "/hooks/oauth/return", a.Members.OAuthReturn())
	r.Raw(http.MethodPost, "/hooks/wxpay/notify", a.Payments.NotifyHandler())
	r.Raw(http.MethodPost, "/hooks/wxpay/refund", a.Payments.RefundNotifyHandler())

	h5Pages := weChatScript(h5.Handler("/h5/", a.opt.Bridge))
	for _, m := range []string{http.MethodGet, http.MethodHead} {
		r.Raw(m, "/h5/*", h5Pages)
	}
	redirect := func(to string) http.Handler { return http.RedirectHandler(to, http.StatusFound) }
	r.Raw(http.MethodGet, "/", redirect("/h5/"))
	r.Raw(http.MethodGet, "/h5", redirect("/h5/"))

	r.Raw(http.MethodGet, "/healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }))
	r.Raw(http.MethodGet, "/readyz", http.HandlerFunc(a.ready))
	r.Raw(http.MethodGet, "/metrics", a.metrics.handler(a))
	if a.opt.Demo {
		r.Raw(http.MethodGet, "/openapi.json", http.HandlerFunc(a.openAPIJSON))
		r.Raw(http.MethodGet, "/docs", http.HandlerFunc(docsPage))
		r.Raw(http.MethodGet, "/docs.js", http.HandlerFunc(docsScript))
	}
	if a.opt.Extra != nil {
		r.Echo.Any("/sandbox", echo.WrapHandler(redirect("/sandbox/")))
		r.Echo.Any("/sandbox/*", echo.WrapHandler(http.StripPrefix("/sandbox", a.opt.Extra)))
	}
}

// weChatScript lets WeChat's own browser load WeChat's own script, the JS-SDK; every other browser stays with ours alone.
func weChatScript(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.UserAgent(), "MicroMessenger") {
			h := w.Header()
			h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "script-src 'self'", "script-src 'self' https://res.wx.qq.com", 1))
		}
		next.ServeHTTP(w, req)
	})
}

// ready says whether the instance can serve: it asks the database, with a short patience.
func (a *App) ready(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), 2*time.Second)
	defer cancel()
	if !a.prepared.Load() {
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
		return
	}
	if err := a.DB.Ping(ctx); err != nil {
		a.log.WarnContext(ctx, "not ready", "err", err)
		http.Error(w, "database not reachable", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

func (a *App) openAPIJSON(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(a.Router.API.OpenAPI()); err != nil {
		a.log.WarnContext(req.Context(), "openapi was not written", "err", err)
	}
}

// Handler is the whole HTTP surface.
func (a *App) Handler() http.Handler { return a.Router.Echo }
