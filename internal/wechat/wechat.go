// Package wechat is the only door to WeChat: it adapts the SDKs of the platform (silenceper) and of WeChat Pay
// (wechatpay-go) to this system's types, errors and time-outs.
//
// Model: a Client speaks for one shop: a mini-program, an official account and a merchant number, each optional. Every
// failure is an *Error with a Class that says what to do about it.
// Owns: nothing stored; access tokens live in memory.
// Invariants: only WeChat's hosts are dialled, each at its configured endpoint; a single-use code is sent once over a
// fresh connection; no secret, token or code appears in an error; an answer of WeChat Pay counts only when its signature
// is right, and an error answer, which nobody signs, is never final by itself.
package wechat

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/credential"
	"github.com/silenceper/wechat/v2/miniprogram"
	"github.com/silenceper/wechat/v2/miniprogram/auth"
	mpconfig "github.com/silenceper/wechat/v2/miniprogram/config"
	"github.com/silenceper/wechat/v2/officialaccount"
	oaconfig "github.com/silenceper/wechat/v2/officialaccount/config"
	oacontext "github.com/silenceper/wechat/v2/officialaccount/context"
	"github.com/silenceper/wechat/v2/officialaccount/js"
	"github.com/silenceper/wechat/v2/officialaccount/oauth"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

// The apps that an identity or a payment belongs to.
const (
	MiniProgram     = "mini_program"
	OfficialAccount = "official_account"
)

// How WeChat Pay's answers and notifications are verified.
const (
	// ModePublicKey uses WeChat Pay's public key: the only way for new merchants (N27).
	ModePublicKey = "public_key"
	// ModeCertificate uses downloaded platform certificates; with a public key configured too, both are accepted, which
	// is what a merchant needs while switching.
	ModeCertificate = "certificate"
)

// App identifies a mini-program or an official account.
type App struct {
	AppID  string
	Secret string
	Token  string // official account: of the message callback
	AESKey string // official account: of the message callback
}

// Pay identifies the merchant.
type Pay struct {
	MchID                 string
	APIv3Key              string // 32 bytes
	MerchantSerial        string
	MerchantPrivateKeyPEM string
	Mode                  string // ModePublicKey unless told
	PublicKeyID           string // PUB_KEY_ID_…
	PublicKeyPEM          string
	NotifyURL             string // where WeChat Pay tells of payments; https, no query
	RefundNotifyURL       string // where it tells of refunds
}

// Endpoints are base URLs with an optional path prefix; "" is the real host.
type Endpoints struct {
	API  string // api.weixin.qq.com
	Open string // open.weixin.qq.com: only browsers go there
	Pay  string // api.mch.weixin.qq.com
}

// Config says who the shop is. An app or a merchant without its id is simply not there.
type Config struct {
	MiniProgram     App
	OfficialAccount App
	Pay             Pay
	Endpoints       Endpoints
	Timeout         time.Duration // of one call; 5 s unless told
}

// Client calls WeChat. It is safe for concurrent use.
type Client struct {
	cfg   Config
	log   *slog.Logger
	route *transport
	cache *cache.Memory

	mpAuth  *auth.Auth
	mpToken tokenSource
	oaOAuth *oauth.Oauth
	oaToken tokenSource
	oaJS    *js.Js
	// oaContext is what the SDK's server of the message callback is built on.
	oaContext *oacontext.Context

	merchantKey *rsa.PrivateKey
	publicKey   *rsa.PublicKey
	life        context.Context
	payMu       sync.Mutex
	pay         *payClients // nil until the platform certificates are there
}

// tokenSource gives an app's access token and knows the key under which the SDK caches it.
type tokenSource struct {
	key string
	get func(ctx context.Context) (string, error)
}

// New checks the configuration and builds a Client. It dials nothing, except in certificate mode, where it tries to
// download the platform certificates; when that fails, the next call tries again. Faults: a plain error that names the
// wrong key.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Client, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Pay.Mode == "" {
		cfg.Pay.Mode = ModePublicKey
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	route, err := newTransport(cfg.Endpoints)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, log: log, route: route, cache: cache.NewMemory(), life: context.WithoutCancel(ctx)}
	installTransport()
	c.initApps()
	if cfg.Pay.MchID != "" {
		if err := c.initPay(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// initApps calls each getter of the SDK once, here, because it fills its fields lazily and without a lock. The stable
// token is the kind that several instances may ask for without invalidating each other's (N26).
func (c *Client) initApps() {
	if a := c.cfg.MiniProgram; a.AppID != "" {
		mp := miniprogram.NewMiniProgram(&mpconfig.Config{AppID: a.AppID, AppSecret: a.Secret, Cache: c.cache, UseStableAK: true})
		c.mpAuth = mp.GetAuth()
		c.mpToken = tokenSource{credential.CacheKeyMiniProgramPrefix + "_stable_access_token_" + a.AppID, mp.GetContext().GetAccessTokenContext}
	}
	if a := c.cfg.OfficialAccount; a.AppID != "" {
		oa := officialaccount.NewOfficialAccount(&oaconfig.Config{AppID: a.AppID, AppSecret: a.Secret, Token: a.Token,
			EncodingAESKey: a.AESKey, Cache: c.cache, UseStableAK: true})
		c.oaOAuth, c.oaJS, c.oaContext = oa.GetOauth(), oa.GetJs(), oa.GetContext()
		c.oaToken = tokenSource{credential.CacheKeyOfficialAccountPrefix + "_stable_access_token_" + a.AppID, oa.GetAccessTokenContext}
	}
}

func (c *Client) initPay(ctx context.Context) error {
	p := c.cfg.Pay
	var err error
	if len(p.APIv3Key) != 32 {
		return errors.New("wechat: pay.api_v3_key must have 32 bytes")
	}
	if p.MerchantSerial == "" || p.NotifyURL == "" {
		return errors.New("wechat: pay.merchant_serial and pay.notify_url are required")
	}
	// The texts of PEM errors may hold key material, so they are not repeated.
	if c.merchantKey, err = utils.LoadPrivateKey(p.MerchantPrivateKeyPEM); err != nil {
		return errors.New("wechat: pay.merchant_private_key is no PEM private key")
	}
	if p.PublicKeyPEM != "" {
		if c.publicKey, err = utils.LoadPublicKey(p.PublicKeyPEM); err != nil {
			return errors.New("wechat: pay.public_key is no PEM public key")
		}
	}
	switch {
	case p.Mode != ModePublicKey && p.Mode != ModeCertificate:
		return fmt.Errorf("wechat: pay.mode %q is unknown, want %s or %s", p.Mode, ModePublicKey, ModeCertificate)
	case p.Mode == ModePublicKey && (c.publicKey == nil || p.PublicKeyID == ""):
		return errors.New("wechat: pay.public_key and pay.public_key_id are required in public-key mode")
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if _, err = c.payClients(ctx); err != nil {
		c.log.Warn("platform certificates are not there yet, the next call tries again", "err", err)
	}
	return nil
}

// Close ends the background renewal of platform certificates.
func (c *Client) Close() {
	c.payMu.Lock()
	defer c.payMu.Unlock()
	if c.pay != nil && c.pay.manager != nil {
		c.pay.manager.Stop()
		c.pay.manager = nil
	}
}

// AppID is the appid of MiniProgram or OfficialAccount, "" when that app is not configured.
func (c *Client) AppID(app string) string {
	switch app {
	case MiniProgram:
		return c.cfg.MiniProgram.AppID
	case OfficialAccount:
		return c.cfg.OfficialAccount.AppID
	}
	return ""
}

// MchID is the merchant number, "" when WeChat Pay is not configured.
func (c *Client) MchID() string { return c.cfg.Pay.MchID }

// call gives a context that routes the SDK's requests through this client and ends after the time-out.
func (c *Client) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithValue(ctx, routeKey{}, c.route), c.cfg.Timeout)
}

// withToken runs f, and once more with a fresh token when WeChat says that the cached one is no longer good: the SDK
// never does that by itself.
func (c *Client) withToken(ctx context.Context, src tokenSource, op string, f func(ctx context.Context) error) error {
	ctx, cancel := c.call(ctx)
	defer cancel()
	err := classify(op, f(ctx))
	if tokenWorn(err) {
		_ = c.cache.Delete(src.key) // memory: cannot fail
		err = classify(op, f(ctx))
	}
	return err
}

// httpClient is what wechatpay-go uses.
func (c *Client) httpClient() *http.Client {
	return &http.Client{Transport: c.route, Timeout: c.cfg.Timeout, CheckRedirect: noRedirect}
}
