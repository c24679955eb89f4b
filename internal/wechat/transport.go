package wechat

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// WeChat's hosts, as both SDKs have them built in.
const (
	hostAPI  = "api.weixin.qq.com"
	hostOpen = "open.weixin.qq.com"
	hostPay  = "api.mch.weixin.qq.com"
)

// maxAnswer bounds what is read of an answer: a day's bill of a busy chain stays well below.
const maxAnswer = 64 << 20

// transport maps WeChat's hosts to the configured endpoints and refuses every other host. The request that is signed
// keeps its original path; a path prefix of the endpoint is added afterwards.
type transport struct {
	targets map[string]*url.URL
	open    string
	keep    http.RoundTripper
	once    http.RoundTripper
}

// singleUse are the calls that spend a code. Go repeats a GET by itself when a kept-alive connection turns out to be
// dead, and the repeat would be refused with a code that is already used: these calls get a fresh connection each.
var singleUse = []string{"/sns/jscode2session", "/sns/oauth2/access_token", "/wxa/business/getuserphonenumber"}

func newTransport(e Endpoints) (*transport, error) {
	t := &transport{targets: map[string]*url.URL{}}
	for host, base := range map[string]string{hostAPI: e.API, hostPay: e.Pay, hostOpen: e.Open} {
		if base == "" {
			base = "https://" + host
		}
		u, err := url.Parse(strings.TrimRight(base, "/"))
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" {
			return nil, fmt.Errorf("wechat: the endpoint for %s is no absolute http(s) address", host)
		}
		t.targets[host] = u
	}
	t.open = t.targets[hostOpen].String()
	delete(t.targets, hostOpen) // browsers go there, this process never
	dial := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}
	build := func(keepAlive bool) http.RoundTripper {
		return &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, ForceAttemptHTTP2: keepAlive, MaxIdleConns: 64,
			MaxIdleConnsPerHost: 16, IdleConnTimeout: 60 * time.Second, TLSHandshakeTimeout: 5 * time.Second, DisableKeepAlives: !keepAlive}
	}
	t.keep, t.once = build(true), build(false)
	return t, nil
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base, ok := t.targets[r.URL.Host]
	if !ok {
		return nil, fmt.Errorf("wechat: host %s is not WeChat's", r.URL.Host)
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = base.Scheme, base.Host, base.Host
	out.URL.Path = base.Path + r.URL.Path
	if r.URL.RawPath != "" {
		out.URL.RawPath = base.EscapedPath() + r.URL.RawPath
	}
	rt := t.keep
	if slices.Contains(singleUse, r.URL.Path) {
		rt = t.once
	}
	resp, err := rt.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Body = limited{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

type limited struct {
	io.Reader
	io.Closer
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// routeKey marks a context with the transport of the client that is calling.
type routeKey struct{}

// dispatcher is the one transport of the silenceper SDK, whose HTTP client is a package variable: the context of each
// request says which Client it belongs to, and a request without one is refused.
type dispatcher struct{}

func (dispatcher) RoundTrip(r *http.Request) (*http.Response, error) {
	t, ok := r.Context().Value(routeKey{}).(*transport)
	if !ok {
		return nil, fmt.Errorf("wechat: a request to %s without a client", r.URL.Host)
	}
	return t.RoundTrip(r)
}

// installed guards the SDK's variable. It must be a variable of this package because the SDK's is one of that package.
var installed sync.Once

// installTransport gives the SDK a client with a time-out, once, before any of its calls can run.
func installTransport() {
	installed.Do(func() {
		util.DefaultHTTPClient = &http.Client{Transport: dispatcher{}, Timeout: 30 * time.Second, CheckRedirect: noRedirect}
	})
}
