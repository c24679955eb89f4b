package wxsandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// App names, used wherever an identity or a code belongs to one of the two apps.
const (
	AppMP = "mp" // mini-program
	AppOA = "oa" // official account
)

// Verification modes of WeChat Pay answers and notifications.
const (
	ModePublicKey   = "public_key"  // serial PUB_KEY_ID_…, no platform certificates exist
	ModeCertificate = "certificate" // serial of a platform certificate, /v3/certificates serves it
)

// AppOptions identifies one app. Empty fields are taken from Credentials.
type AppOptions struct {
	AppID       string `json:"appId"`
	Secret      string `json:"secret"`
	Token       string `json:"token,omitempty"`  // signs what is pushed
	AESKey      string `json:"aesKey,omitempty"` // 43 characters; encrypts what is pushed
	CallbackURL string `json:"-"`                // where events and messages are pushed; "" pushes nothing
}

// PayOptions describes the merchant. Empty fields are taken from Credentials.
type PayOptions struct {
	MchID                string
	APIv3Key             string
	MerchantSerial       string
	MerchantPublicKeyPEM string
	Mode                 string        // ModePublicKey when empty
	RefundDelay          time.Duration // PROCESSING → final; 0 means one second
	RefundInterval       time.Duration // least distance of two refunds of one order; 0 means WeChat's minute, negative none
	BillsImmediate       bool          // serve today's bill too, instead of from 10:00 on the next day
}

// Template is one message template known to the sandbox.
type Template struct {
	ID     string  `json:"id"`
	App    string  `json:"app"` // AppMP or AppOA
	Title  string  `json:"title"`
	Fields []Field `json:"fields"`
}

// Field is one keyword of a template; Key carries the type, as in "thing1" or "amount2".
type Field struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// Options configures a Sandbox. PublicURL and Now are required.
type Options struct {
	PublicURL          string // where browsers and SDKs reach the sandbox; the handler is mounted with its path stripped
	Name               string // shown on the phone as the shop's name; "亮车洗车" when empty
	MiniProgram        AppOptions
	OfficialAccount    AppOptions
	OAuthHosts         []string // host[:port] values allowed in redirect_uri, compared exactly
	MiniProgramURL     string   // H5 address that stands for the mini-program; ?mp_code=… is appended
	OfficialAccountURL string   // H5 address opened from the official account
	Pages              []string // known mini-program pages; empty accepts any well-formed page
	Templates          []Template
	Pay                PayOptions
	SMS                SMSOptions
	StateFile          string         // "" keeps everything in memory
	NotifySpeedup      float64        // divides the notification retry schedule; 0 means 1
	Quotas             map[string]int // overrides by API path, per the API's own window
	TradeManaged       bool           // answer of is_trade_managed
	FrameAncestors     []string       // origins besides our own that may frame the sheets (sandbox on another port)
	HTTPClient         *http.Client   // sends notifications; nil means a client with a 5 s time-out
	Now                func() time.Time
	RealNow            func() time.Time // machine clock for signatures; nil means Now
	Logger             *slog.Logger     // nil discards
}

// complete fills defaults from the credentials and refuses options that WeChat or the safety rule would refuse.
func (o Options) complete(c Credentials) (Options, error) {
	if o.Now == nil {
		return o, errors.New("wxsandbox: Options.Now is required")
	}
	if o.RealNow == nil {
		o.RealNow = o.Now
	}
	u, err := url.Parse(o.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return o, fmt.Errorf("wxsandbox: PublicURL %q is not an absolute http(s) URL", o.PublicURL)
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	fill(&o.MiniProgram.AppID, c.MiniProgram.AppID)
	fill(&o.MiniProgram.Secret, c.MiniProgram.Secret)
	fill(&o.OfficialAccount.AppID, c.OfficialAccount.AppID)
	fill(&o.OfficialAccount.Secret, c.OfficialAccount.Secret)
	for _, x := range []struct{ to, from *AppOptions }{{&o.MiniProgram, &c.MiniProgram}, {&o.OfficialAccount, &c.OfficialAccount}} {
		fill(&x.to.Token, x.from.Token)
		fill(&x.to.AESKey, x.from.AESKey)
		if err := x.to.checkPush(); err != nil {
			return o, err
		}
	}
	fill(&o.Pay.MchID, c.MchID)
	fill(&o.Pay.APIv3Key, c.APIv3Key)
	fill(&o.Pay.MerchantSerial, c.MerchantSerial)
	fill(&o.Pay.MerchantPublicKeyPEM, c.MerchantPublicKeyPEM)
	fill(&o.Pay.Mode, ModePublicKey)
	fill(&o.Name, "亮车洗车")
	derived := c.SMS()
	fill(&o.SMS.SecretID, derived.SecretID)
	fill(&o.SMS.SecretKey, derived.SecretKey)
	fill(&o.SMS.AppID, derived.AppID)
	for _, id := range []string{o.MiniProgram.AppID, o.OfficialAccount.AppID} {
		if !IsSandboxAppID(id) {
			return o, fmt.Errorf("wxsandbox: appid %q was not made by the sandbox; it never runs with real identifiers", id)
		}
	}
	if !IsSandboxMchID(o.Pay.MchID) {
		return o, fmt.Errorf("wxsandbox: merchant %q was not made by the sandbox; it never runs with real identifiers", o.Pay.MchID)
	}
	if o.MiniProgram.AppID == o.OfficialAccount.AppID {
		return o, errors.New("wxsandbox: mini-program and official account need different appids")
	}
	if len(o.Pay.APIv3Key) != 32 {
		return o, errors.New("wxsandbox: APIv3Key must have 32 bytes")
	}
	if o.Pay.Mode != ModePublicKey && o.Pay.Mode != ModeCertificate {
		return o, fmt.Errorf("wxsandbox: unknown pay mode %q", o.Pay.Mode)
	}
	for _, t := range o.Templates {
		if err := t.check(); err != nil {
			return o, err
		}
	}
	if o.Pay.RefundDelay == 0 {
		o.Pay.RefundDelay = time.Second
	}
	if o.Pay.RefundInterval == 0 {
		o.Pay.RefundInterval = time.Minute
	}
	if o.NotifySpeedup <= 0 {
		o.NotifySpeedup = 1
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Timeout: notifyTimeout}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func fill(dst *string, v string) {
	if *dst == "" {
		*dst = v
	}
}

func (t Template) check() error {
	if t.ID == "" || t.Title == "" || len(t.Fields) == 0 || (t.App != AppMP && t.App != AppOA) {
		return fmt.Errorf("wxsandbox: template %q needs an id, a title, fields and an app", t.ID)
	}
	for _, f := range t.Fields {
		if fieldKind(f.Key) == "" {
			return fmt.Errorf("wxsandbox: template %s: field %q is of no known type", t.ID, f.Key)
		}
	}
	return nil
}
