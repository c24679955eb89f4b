// Package config reads the settings that are needed before there is a database.
//
// Model: a Config is the defaults, overlaid by one YAML file, overlaid by environment variables. The file's
// `wechat.pay.mch_id` is `LIANGCHE_WECHAT__PAY__MCH_ID` in the environment: two underscores for the dot. A key that holds
// a secret, or a PEM text, can be given as `<key>_file`, the path of a file with its content.
// Owns: config.example.yaml documents every key (a test compares them).
// Invariants: a key that is unknown, of the wrong type, missing or senseless is an error that names it and says what to
// write; all of them are reported at once; no secret is ever printed.
package config

import (
	"fmt"
	"strings"
)

// Config is everything that the process must be told. The koanf tag is the key; secret marks what is never printed and
// may come from `<key>_file`; file marks what may come from a file although it is no secret.
type Config struct {
	Listen          string   `koanf:"listen"`           // host:port
	PublicURL       string   `koanf:"public_url"`       // scheme://host[:port], no trailing slash
	LogLevel        string   `koanf:"log_level"`        // debug | info | warn | error
	LogFormat       string   `koanf:"log_format"`       // json | text
	TrustProxy      bool     `koanf:"trust_proxy"`      // believe X-Forwarded-For and -Proto
	ShutdownSeconds int      `koanf:"shutdown_seconds"` // how long running requests may take to end
	Database        Database `koanf:"database"`
	Storage         Storage  `koanf:"storage"`
	Secret          Secret   `koanf:"secret"`
	WeChat          WeChat   `koanf:"wechat"`
	SMS             SMS      `koanf:"sms"`
}

// Database says where the data is.
type Database struct {
	Driver   string `koanf:"driver"`            // sqlite | mysql
	Path     string `koanf:"path"`              // sqlite: the file
	DSN      string `koanf:"dsn" secret:"true"` // mysql: user:password@tcp(host:3306)/name
	MaxConns int    `koanf:"max_conns"`         // mysql: connections; sqlite: readers
}

// Storage says where photos are.
type Storage struct {
	Dir string `koanf:"dir"` // the folder
}

// Secret holds what encrypts personal data.
type Secret struct {
	Keyset string `koanf:"keyset" secret:"true"` // content of the keyset file, JSON
}

// WeChat says who the shop is at WeChat. An app or a merchant without its id is simply not used.
type WeChat struct {
	MiniProgram     App               `koanf:"mini_program"`
	OfficialAccount App               `koanf:"official_account"`
	Pay             Pay               `koanf:"pay"`
	Endpoints       Endpoints         `koanf:"endpoints"`
	TimeoutSeconds  int               `koanf:"timeout_seconds"` // of one call
	Templates       map[string]string `koanf:"templates"`       // event → subscribe template id of the mini-program
	OATemplates     map[string]string `koanf:"oa_templates"`    // event → template id of the official account
}

// App is a mini-program or an official account.
type App struct {
	AppID  string `koanf:"app_id"`
	Secret string `koanf:"secret" secret:"true"`
	Token  string `koanf:"token" secret:"true"`   // of the message callback
	AESKey string `koanf:"aes_key" secret:"true"` // of the message callback
}

// Pay is the merchant at WeChat Pay. Keys are PEM texts.
type Pay struct {
	MchID              string `koanf:"mch_id"`
	APIv3Key           string `koanf:"api_v3_key" secret:"true"`
	MerchantSerial     string `koanf:"merchant_serial"`
	MerchantPrivateKey string `koanf:"merchant_private_key" secret:"true"`
	Mode               string `koanf:"mode"` // public_key | certificate
	PublicKeyID        string `koanf:"public_key_id"`
	PublicKey          string `koanf:"public_key" file:"true"`
}

// Endpoints are the base URLs of WeChat's hosts, so that the same program talks to WeChat or to a simulator.
type Endpoints struct {
	API  string `koanf:"api"`
	Open string `koanf:"open"`
	Pay  string `koanf:"pay"`
}

// SMS says who sends text messages. Without a provider nobody does.
type SMS struct {
	Provider  string `koanf:"provider"`  // "" | tencent | aliyun
	Region    string `koanf:"region"`    // "" is the provider's usual one
	AppID     string `koanf:"app_id"`    // tencent: SmsSdkAppId
	SecretID  string `koanf:"secret_id"` // tencent: SecretId; aliyun: AccessKeyId
	SecretKey string `koanf:"secret_key" secret:"true"`
	Sign      string `koanf:"sign"`     // the approved signature, without 【】, where the console says nothing else
	Endpoint  string `koanf:"endpoint"` // "" is the provider's own
}

// Events are the keys that wechat.templates and wechat.oa_templates may hold.
var events = []string{"deduction", "topup", "refund", "reversal", "booking_confirmed", "booking_reminder", "booking_changed", "booking_cancelled", "booking_offer", "car_ready",
	"pass_sold", "pass_expiring", "pass_renewal", "points_expiring", "tier_changed", "membership_ends", "coupon_received", "coupon_expiring", "mall_ready", "mall_shipped", "referral_rewarded", "group_approval",
	"booking_tomorrow", "booking_late", "tier_falling", "next_wash", "maintenance_due", "inspection_due", "insurance_due", "rain_voucher", "birthday", "holiday", "account_linked"}

// Default is what holds for every key that is written nowhere.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8080", LogLevel: "info", LogFormat: "json", ShutdownSeconds: 20,
		Database: Database{Driver: "sqlite", Path: "data/liangche.db", MaxConns: 16},
		Storage:  Storage{Dir: "data/blobs"},
		WeChat: WeChat{
			Pay: Pay{Mode: "public_key"},
			Endpoints: Endpoints{
				API:  "https://api.weixin.qq.com",
				Open: "https://open.weixin.qq.com",
				Pay:  "https://api.mch.weixin.qq.com",
			},
			TimeoutSeconds: 5,
			Templates:      map[string]string{},
			OATemplates:    map[string]string{},
		},
	}
}

// Problem is one thing that is wrong with one key.
type Problem struct {
	Key     string // as in the file, or the name of the environment variable that holds it
	Message string // what to write instead
}

// Error holds every Problem of a configuration, in the order of the file's keys.
type Error struct{ Problems []Problem }

// Error lists the problems, one a line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d problem(s):", len(e.Problems))
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\n  %s: %s", p.Key, p.Message)
	}
	return b.String()
}
