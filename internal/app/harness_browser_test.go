package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// browser keeps cookies and does not follow redirects by itself, so that a test sees each of them.
type browser struct {
	s  *system
	hc *http.Client
}

func (s *system) browser() browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c := *s.http
	c.Jar = jar
	return browser{s, &c}
}

// open loads an address, absolute or on the system's own host.
func (b browser) open(address string) reply {
	b.s.t.Helper()
	return b.send(http.MethodGet, address, nil)
}

func (b browser) send(method, address string, body any, with ...header) reply {
	b.s.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.s.URL + address
	}
	var rd io.Reader
	if body != nil {
		j, err := json.Marshal(body)
		if err != nil {
			b.s.t.Fatal(err)
		}
		rd = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(b.s.t.Context(), method, address, rd)
	if err != nil {
		b.s.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range with {
		req.Header.Set(h.name, h.value)
	}
	res, err := b.hc.Do(req)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	b.s.seen.wire(out)
	for _, c := range res.Cookies() {
		b.s.seen.add("cookie "+c.Name, c.Value)
	}
	return reply{res.StatusCode, res.Header, out, method + " " + address}
}

// console sends what the console's pages send.
func (b browser) console(method, path string, body any) obj {
	b.s.t.Helper()
	r := b.send(method, "/api/console/"+path, body, header{"X-Liangche", "console"}, key(b.s.key()))
	if r.status/100 != 2 {
		b.s.t.Fatalf("%s: %d %s", r.what, r.status, r.body)
	}
	return r.json(b.s.t)
}

// oauth goes through WeChat's login as the persona and returns the address at which the browser arrives.
func (b browser) oauth(start, persona string) *url.URL {
	b.s.t.Helper()
	to := b.redirected(b.open(start))
	if !strings.HasPrefix(to.String(), b.s.URL+"/sandbox/connect/oauth2/authorize?") {
		b.s.t.Fatalf("login goes to %s", to)
	}
	pick := b.open(to.String())
	if pick.status != http.StatusOK || !bytes.Contains(pick.body, []byte("persona="+persona)) {
		b.s.t.Fatalf("the page to pick a persona: %d %.300s", pick.status, pick.body)
	}
	q := to.Query()
	q.Set("persona", persona)
	to.RawQuery = q.Encode()
	back := b.redirected(b.open(to.String()))
	if back.Path != "/hooks/oauth/return" || back.Query().Get("code") == "" || back.Query().Get("state") == "" {
		b.s.t.Fatalf("WeChat sends the browser to %s", back)
	}
	return b.redirected(b.open(back.String()))
}

func (b browser) redirected(r reply) *url.URL {
	b.s.t.Helper()
	if r.status != http.StatusFound {
		b.s.t.Fatalf("%s: %d %.300s, want a redirect", r.what, r.status, r.body)
	}
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil {
		b.s.t.Fatal(err)
	}
	if !u.IsAbs() {
		base, err := url.Parse(b.s.URL)
		if err != nil {
			b.s.t.Fatal(err)
		}
		u = base.ResolveReference(u)
	}
	return u
}
