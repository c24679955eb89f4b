package config

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	appIDForm    = regexp.MustCompile(`^wx[0-9a-zA-Z]{8,30}$`)
	secretForm   = regexp.MustCompile(`^[0-9a-zA-Z]{16,64}$`)
	tokenForm    = regexp.MustCompile(`^[0-9a-zA-Z]{3,32}$`)
	aesKeyForm   = regexp.MustCompile(`^[0-9a-zA-Z]{43}$`)
	mchIDForm    = regexp.MustCompile(`^[0-9]{8,10}$`)
	serialForm   = regexp.MustCompile(`^[0-9A-F]{16,40}$`)
	publicIDForm = regexp.MustCompile(`^PUB_KEY_ID_[0-9A-Za-z]+$`)
	templateForm = regexp.MustCompile(`^[0-9A-Za-z_-]{8,64}$`)
	regionForm   = regexp.MustCompile(`^[a-z]{2}-[a-z0-9-]{2,30}$`)
	smsAppForm   = regexp.MustCompile(`^[0-9]{6,20}$`)
	smsKeyIDForm = regexp.MustCompile(`^[0-9A-Za-z]{8,64}$`)
)

// checker collects problems.
type checker struct{ problems []Problem }

func (k *checker) need(ok bool, key, format string, args ...any) {
	if !ok {
		k.problems = append(k.problems, Problem{key, fmt.Sprintf(format, args...)})
	}
}

func (k *checker) oneOf(value, key string, allowed ...string) {
	k.need(slices.Contains(allowed, value), key, "must be one of %s", strings.Join(allowed, ", "))
}

func (k *checker) between(n, low, high int, key string) {
	k.need(n >= low && n <= high, key, "must be from %d to %d", low, high)
}

// Check says what is missing or makes no sense; nil when the configuration is fit for `serve`.
func (c Config) Check() []Problem {
	k := &checker{}
	k.need(validListen(c.Listen), "listen", "must be host:port, such as 127.0.0.1:8080")
	k.checkPublicURL(c.PublicURL)
	k.oneOf(c.LogLevel, "log_level", "debug", "info", "warn", "error")
	k.oneOf(c.LogFormat, "log_format", "json", "text")
	k.between(c.ShutdownSeconds, 1, 300, "shutdown_seconds")
	k.checkDatabase(c.Database)
	k.need(strings.TrimSpace(c.Storage.Dir) != "", "storage.dir", "is missing; write the path of the folder for photos, such as data/blobs")
	k.need(c.Secret.Keyset != "", "secret.keyset", "is missing; write secret.keyset_file, the path of a file made by `liangche config keyset`")
	k.need(c.Secret.Keyset == "" || validKeyset(c.Secret.Keyset), "secret.keyset", "is no keyset; make one with `liangche config keyset`")
	k.checkWeChat(c.WeChat)
	k.checkSMS(c.SMS)
	return k.problems
}

func validListen(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

func (k *checker) checkPublicURL(s string) {
	const key, example = "public_url", "https://car.example.com"
	if s == "" {
		k.need(false, key, "is missing; write the address under which phones reach this server, such as %s", example)
		return
	}
	u, err := url.Parse(s)
	ok := err == nil && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil &&
		!strings.HasSuffix(s, "?") && !strings.HasSuffix(s, "#")
	if !ok {
		k.need(false, key, "must be scheme and host only, without a path or a slash at the end, such as %s", example)
		return
	}
	k.need(u.Scheme == "https" || (u.Scheme == "http" && isLocal(u.Hostname())), key,
		"must begin with https://, because WeChat calls nothing else (http:// is for this machine and the local network)")
}

func isLocal(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && (a.IsLoopback() || a.IsPrivate())
}

func (k *checker) checkDatabase(d Database) {
	k.oneOf(d.Driver, "database.driver", "sqlite", "mysql")
	k.between(d.MaxConns, 0, 1000, "database.max_conns")
	switch d.Driver {
	case "sqlite":
		k.need(d.Path != "", "database.path", "is missing; write the path of the database file")
		k.need(d.DSN == "", "database.dsn", "is for driver mysql; with sqlite leave it empty")
	case "mysql":
		slash := strings.LastIndexByte(d.DSN, '/')
		name := ""
		if slash >= 0 {
			name, _, _ = strings.Cut(d.DSN[slash+1:], "?")
		}
		k.need(strings.Contains(d.DSN, "@") && name != "", "database.dsn",
			"is missing or no DSN; write user:password@tcp(host:3306)/liangche")
	}
}

func validKeyset(s string) bool {
	var f struct {
		AEAD  json.RawMessage `json:"aead"`
		Index string          `json:"index"`
	}
	return json.Unmarshal([]byte(s), &f) == nil && len(f.AEAD) > 2 && f.Index != ""
}

func (k *checker) checkWeChat(w WeChat) {
	k.checkApp(w.MiniProgram, "wechat.mini_program")
	k.checkApp(w.OfficialAccount, "wechat.official_account")
	k.need(w.MiniProgram.AppID == "" || w.MiniProgram.AppID != w.OfficialAccount.AppID, "wechat.official_account.app_id",
		"is the mini-program's; the two have different ones")
	k.checkPay(w)
	for _, e := range []struct{ key, url string }{{"api", w.Endpoints.API}, {"open", w.Endpoints.Open}, {"pay", w.Endpoints.Pay}} {
		u, err := url.Parse(e.url)
		k.need(err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && u.RawQuery == "" && u.Fragment == "",
			"wechat.endpoints."+e.key, "must be an absolute address, such as https://api.weixin.qq.com; leave it out for the real WeChat")
	}
	k.between(w.TimeoutSeconds, 1, 30, "wechat.timeout_seconds")
	k.checkTemplates(w.Templates, "wechat.templates", w.MiniProgram.AppID, "wechat.mini_program.app_id")
	k.checkTemplates(w.OATemplates, "wechat.oa_templates", w.OfficialAccount.AppID, "wechat.official_account.app_id")
}

func (k *checker) checkSMS(s SMS) {
	if s.Provider == "" {
		k.need(s == SMS{}, "sms.provider", "is missing, although other keys of sms are there; write tencent or aliyun")
		return
	}
	k.oneOf(s.Provider, "sms.provider", "tencent", "aliyun")
	k.need(s.Region == "" || regionForm.MatchString(s.Region), "sms.region", "must look like ap-guangzhou or cn-hangzhou; leave it out for the usual one")
	if s.Provider == "tencent" {
		k.need(smsAppForm.MatchString(s.AppID), "sms.app_id", "must be the SmsSdkAppId, digits, in quotes; see the application list of the SMS console")
	} else {
		k.need(s.AppID == "", "sms.app_id", "is for tencent; with aliyun leave it empty")
	}
	k.need(smsKeyIDForm.MatchString(s.SecretID), "sms.secret_id", "is missing or wrong; write the SecretId (tencent) or the AccessKeyId (aliyun)")
	k.need(secretForm.MatchString(s.SecretKey), "sms.secret_key", "is missing or wrong; write the SecretKey, or its file as sms.secret_key_file")
	n := utf8.RuneCountInString(s.Sign)
	k.need(n <= 30 && !strings.ContainsAny(s.Sign, "【】[]"), "sms.sign", "must be the approved signature of at most 30 characters, without the brackets")
	if s.Endpoint == "" {
		return
	}
	u, err := url.Parse(s.Endpoint)
	k.need(err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http" && isLocal(u.Hostname())),
		"sms.endpoint", "must be an absolute https address (http:// is for this machine and the local network); leave it out for the provider's own")
}

func (k *checker) checkTemplates(ids map[string]string, section, appID, appKey string) {
	for _, event := range events {
		id := ids[event]
		key := section + "." + event
		k.need(id == "" || templateForm.MatchString(id), key, "is no template id; copy it from WeChat's administration pages")
		k.need(id == "" || appID != "", key, "needs %s", appKey)
	}
	for event := range ids {
		k.need(slices.Contains(events, event), section+"."+event, "is no known event; known are %s", strings.Join(events, ", "))
	}
}

func (k *checker) checkApp(a App, key string) {
	if a.AppID == "" {
		k.need(a.Secret == "" && a.Token == "" && a.AESKey == "", key+".app_id", "is missing, although other keys of %s are there", key)
		return
	}
	k.need(appIDForm.MatchString(a.AppID), key+".app_id", "must look like wx0123456789abcdef")
	k.need(secretForm.MatchString(a.Secret), key+".secret", "is missing or wrong; write the AppSecret, or its file as %s.secret_file", key)
	k.need(a.Token == "" || tokenForm.MatchString(a.Token), key+".token", "must be 3 to 32 letters and digits")
	k.need(a.AESKey == "" || aesKeyForm.MatchString(a.AESKey), key+".aes_key", "must be the 43 letters and digits of EncodingAESKey")
	k.need(a.AESKey == "" || a.Token != "", key+".token", "is missing; the message callback needs it besides aes_key")
}

func (k *checker) checkPay(w WeChat) {
	p := w.Pay
	const key = "wechat.pay."
	k.oneOf(p.Mode, key+"mode", "public_key", "certificate")
	if p.MchID == "" {
		k.need(p.APIv3Key == "" && p.MerchantSerial == "" && p.MerchantPrivateKey == "" && p.PublicKeyID == "" && p.PublicKey == "",
			key+"mch_id", "is missing, although other keys of wechat.pay are there")
		return
	}
	k.need(mchIDForm.MatchString(p.MchID), key+"mch_id", "must be the 8 to 10 digits of the merchant number, in quotes")
	k.need(w.MiniProgram.AppID != "" || w.OfficialAccount.AppID != "", key+"mch_id",
		"needs wechat.mini_program or wechat.official_account: every payment belongs to an app")
	k.need(len(p.APIv3Key) == 32, key+"api_v3_key", "must have 32 characters; it is set in the merchant platform under API security")
	k.need(serialForm.MatchString(p.MerchantSerial), key+"merchant_serial", "must be the merchant certificate's serial number, digits and A–F")
	k.need(validPEM(p.MerchantPrivateKey, "PRIVATE KEY"), key+"merchant_private_key",
		"is missing or no PEM; write wechat.pay.merchant_private_key_file, the path of apiclient_key.pem")
	public := p.Mode == "public_key" || p.PublicKey != "" || p.PublicKeyID != ""
	k.need(!public || publicIDForm.MatchString(p.PublicKeyID), key+"public_key_id", "must look like PUB_KEY_ID_0123…")
	k.need(!public || validPEM(p.PublicKey, "PUBLIC KEY"), key+"public_key",
		"is missing or no PEM; write wechat.pay.public_key_file, the path of pub_key.pem")
}

func validPEM(text, kind string) bool {
	b, _ := pem.Decode([]byte(text))
	return b != nil && strings.HasSuffix(b.Type, kind)
}
