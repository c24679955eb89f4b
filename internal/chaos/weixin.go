package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// weixin is the WeChat of a site: `liangche sandbox` in a process of its own, and its control API.
type weixin struct {
	base string // of the sandbox
	hc   *http.Client
	proc *process // nil when it runs elsewhere
	cred credentials
	told map[string]int64 // what a persona was told → id of the message that said it first
}

// credentials are what the sandbox writes down for a configuration.
type credentials struct {
	MiniProgram           wxApp  `json:"miniProgram"`
	OfficialAccount       wxApp  `json:"officialAccount"`
	MchID                 string `json:"mchId"`
	APIv3Key              string `json:"apiV3Key"`
	MerchantSerial        string `json:"merchantSerial"`
	MerchantPrivateKeyPEM string `json:"merchantPrivateKeyPem"`
	PlatformPublicKeyID   string `json:"platformPublicKeyId"`
	PlatformPublicKeyPEM  string `json:"platformPublicKeyPem"`
}

type wxApp struct {
	AppID  string `json:"appId"`
	Secret string `json:"secret"`
	Token  string `json:"token"`
	AESKey string `json:"aesKey"`
}

// startWeixin runs a sandbox whose phones may come back to the given address.
func startWeixin(ctx context.Context, prog program, dir, serveAddr string) (*weixin, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "weixin")
	w := &weixin{base: "http://" + addr, hc: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}, told: map[string]int64{}}
	if w.proc, err = spawn(prog.command("sandbox", "--listen", addr, "--data", data, "--h5", "http://"+serveAddr+"/h5/", "--oauth-hosts", serveAddr), filepath.Join(dir, "weixin.log")); err != nil {
		return nil, err
	}
	for range 2000 {
		if status(w.hc, w.base+"/control") == http.StatusOK {
			b, err := os.ReadFile(filepath.Join(data, "sandbox-credentials.json"))
			if err == nil {
				err = json.Unmarshal(b, &w.cred)
			}
			return w, err
		}
		if ctx.Err() != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.close()
	return nil, fmt.Errorf("the WeChat sandbox did not start; see %s", filepath.Join(dir, "weixin.log"))
}

func (w *weixin) close() {
	if w.proc != nil {
		w.proc.end(9)
	}
}

// control calls the sandbox's control API.
func (w *weixin) control(ctx context.Context, method, path string, body any) (obj, error) {
	if body == nil {
		body = obj{}
	}
	a, err := exchange(ctx, w.hc, method, w.base+"/control/"+path, nil, body)
	if err == nil && !a.ok() {
		err = fmt.Errorf("sandbox: %s: %s", path, a)
	}
	return a.obj, err
}

// code is a fresh code for signing in to the mini-program.
func (w *weixin) code(ctx context.Context, persona string) (string, error) {
	o, err := w.control(ctx, http.MethodPost, "login-code", obj{"personaId": persona, "app": "mp"})
	return o.s("code"), err
}

// oauth goes through the login of the official account in a browser and returns the ticket with which it comes back.
func (w *weixin) oauth(ctx context.Context, start, persona string) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	hc := &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	at, err := url.Parse(start)
	if err != nil {
		return "", err
	}
	for range 3 { // to WeChat, back to the shop, to the pages
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err != nil {
			return "", err
		}
		res, err := hc.Do(req)
		if err != nil {
			return "", err
		}
		_ = res.Body.Close()
		to, err := res.Location()
		if err != nil {
			return "", fmt.Errorf("login of the official account: %s answers %s: %w", at, res.Status, err)
		}
		if q := to.Query(); q.Get("redirect_uri") != "" {
			q.Set("persona", persona)
			to.RawQuery = q.Encode()
		}
		at = to
	}
	if at.Query().Get("ticket") == "" {
		return "", fmt.Errorf("login of the official account ends at %s", at)
	}
	return at.Query().Get("ticket"), nil
}

// twice looks for messages that tell one person of an order of which another message has told already.
func (w *weixin) twice(state obj) (out []string) {
	for _, m := range state.list("messages") {
		if !strings.HasSuffix(m.s("templateId"), "-deduction") {
			continue // others may say the same for good reasons
		}
		content := m.s("personaId") + " " + m.s("url") + m.s("page")
		if first, known := w.told[content]; !known {
			w.told[content] = m.i("id")
		} else if first != m.i("id") {
			out = append(out, fmt.Sprintf("messages %d and %d say the same: %s", first, m.i("id"), content))
		}
	}
	return out
}
