package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const keyset = `{"aead":{"primaryKeyId":1},"index":"aW5kZXg="}`

// good is a complete file for production.
const good = `
public_url: https://car.example.com
secret: {keyset_file: keyset.json}
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load writes text as a configuration beside a keyset file, and loads it.
func load(t *testing.T, text string, environ ...string) (Config, error) {
	t.Helper()
	path := write(t, "config.yaml", text)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "keyset.json"), []byte(keyset+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, environ)
}

// keys is the keys that err names, each once.
func keys(t *testing.T, err error) string {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("want *Error, got %v", err)
	}
	var out []string
	for _, p := range e.Problems {
		if p.Message == "" || !strings.Contains(err.Error(), p.Key+": "+p.Message) {
			t.Errorf("the error's text misses %+v", p)
		}
		out = append(out, p.Key)
	}
	return strings.Join(out, " ")
}

func TestLoadsFileOverDefaults(t *testing.T) {
	c, err := load(t, good+"listen: 0.0.0.0:80\ntrust_proxy: true\nshutdown_seconds: 3\nlog_level:\n")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.PublicURL, want.Listen, want.TrustProxy, want.ShutdownSeconds = "https://car.example.com", "0.0.0.0:80", true, 3
	want.Secret.Keyset = keyset
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
}

func TestEnvironmentWins(t *testing.T) {
	dsn := write(t, "dsn", "u:p@tcp(db:3306)/car\n")
	c, err := load(t, good+"database: {driver: sqlite, path: x.db}\n",
		"LIANGCHE_DATABASE__DRIVER=mysql", "LIANGCHE_DATABASE__DSN_FILE="+dsn, "LIANGCHE_DATABASE__MAX_CONNS=7",
		"LIANGCHE_TRUST_PROXY=1", "LIANGCHE_WECHAT__TEMPLATES__DEDUCTION=", "LIANGCHE_SECRET__KEYSET="+keyset,
		"LIANGCHE_TEST_DB=mysql", "LIANGCHE_CONFIG=/etc/x", "LIANGCHE_PORT_8080_TCP=tcp://10.0.0.1:8080", "LIANGCHE_SERVICE_HOST=10.0.0.1",
		"HOME=/root", "=C:=strange", "nothing")
	if err != nil {
		t.Fatal(err)
	}
	if c.Database.DSN != "u:p@tcp(db:3306)/car" || c.Database.MaxConns != 7 || !c.TrustProxy || c.Database.Path != "x.db" {
		t.Errorf("got %+v", c)
	}
	// A secret in the environment replaces the file's `_file` twin, and the other way round.
	if _, err = load(t, good, "LIANGCHE_SECRET__KEYSET_FILE=/nowhere"); keys(t, err) != "LIANGCHE_SECRET__KEYSET_FILE" {
		t.Errorf("got %v", err)
	}
	if c, err = Load("", []string{"LIANGCHE_PUBLIC_URL=http://localhost:8080", "LIANGCHE_SECRET__KEYSET=" + keyset}); err != nil || c.PublicURL != "http://localhost:8080" {
		t.Errorf("environment alone: %v", err)
	}
}

func TestEveryProblemIsNamedAtOnce(t *testing.T) {
	_, err := load(t, `
listen: 8080
public_url: https://car.example.com/
log_levle: debug
log_format: xml
trust_proxy: "yes"
shutdown_seconds: 1.5
database:
  driver: mysql
  max_conns: many
  pasword: x
secret: none
wechat:
  mini_program: {app_id: nonsense}
  pay: {mch_id: 1900000109}
  endpoints: {api: api.weixin.qq.com}
  templates: {deduction: 5, wedding: abcdefgh}
`, "LIANGCHE_WECHAT__TIMEOUT_SECONDS=soon", "LIANGCHE_WECHAT__PAY__MODEE=public_key")
	want := "listen public_url log_format trust_proxy shutdown_seconds database.dsn database.max_conns secret.keyset " +
		"wechat.mini_program.app_id wechat.mini_program.secret wechat.pay.mch_id wechat.endpoints.api LIANGCHE_WECHAT__TIMEOUT_SECONDS " +
		"wechat.templates.deduction wechat.templates.wedding LIANGCHE_WECHAT__PAY__MODEE database.pasword log_levle secret"
	got := strings.Fields(keys(t, err))
	for _, k := range strings.Fields(want) {
		if !contains(got, k) {
			t.Errorf("%s is not named", k)
		}
	}
	if len(got) != len(strings.Fields(want)) {
		t.Errorf("got %d problems: %v", len(got), got)
	}
	for _, hint := range []string{"did you mean log_level?", "did you mean LIANGCHE_WECHAT__PAY__MODE?", "secret: is a group of keys", "put it in quotes"} {
		if !strings.Contains(err.Error(), hint) {
			t.Errorf("the error misses %q:\n%v", hint, err)
		}
	}
	if got[0] != "listen" || got[1] != "public_url" {
		t.Errorf("problems are not in the order of the file: %v", got)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestMissing(t *testing.T) {
	if _, err := Load("", nil); keys(t, err) != "public_url secret.keyset" {
		t.Errorf("got %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("missing file: %v", err)
	}
	for _, text := range []string{"a: [", "- list", "listen: a\nlisten: b", "\x00"} {
		if _, err := load(t, text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	if _, err := load(t, good+"database: {driver: mysql, dsn: a:b@tcp(h)/d, dsn_file: keyset.json}\n"); keys(t, err) != "database.dsn_file" {
		t.Errorf("both: %v", err)
	}
	if _, err := load(t, "public_url: https://a.example\nsecret: {keyset_file: none.json}\n"); keys(t, err) != "secret.keyset_file" {
		t.Errorf("no such file: %v", err)
	}
	if _, err := load(t, "public_url: https://a.example\nsecret: {keyset_file: .}\n"); keys(t, err) != "secret.keyset_file" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := load(t, "public_url: https://a.example\nsecret: {keyset_file: [a]}\n"); !strings.Contains(keys(t, err), "secret.keyset_file") {
		t.Errorf("a list: %v", err)
	}
	if _, err := load(t, good+"listen_file: x\n"); keys(t, err) != "listen_file" {
		t.Errorf("a key without _file: %v", err)
	}
}

// full is a configuration with everything set.
func full(t *testing.T) Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // the kind of key does not matter here, and RSA is slow
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(key)
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	c := Default()
	c.PublicURL, c.Secret.Keyset = "https://car.example.com", keyset
	c.Database = Database{Driver: "mysql", DSN: "u:hush@tcp(h:3306)/car", MaxConns: 5}
	app := App{AppID: "wx0123456789abcdef", Secret: strings.Repeat("5e", 16), Token: "hushtoken", AESKey: strings.Repeat("k", 43)}
	c.WeChat.MiniProgram = app
	app.AppID = "wxfedcba9876543210"
	c.WeChat.OfficialAccount = app
	c.WeChat.Pay = Pay{MchID: "1900000109", APIv3Key: strings.Repeat("v", 32), MerchantSerial: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
		MerchantPrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), Mode: "public_key",
		PublicKeyID: "PUB_KEY_ID_0119000001092025", PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}
	c.WeChat.Templates = map[string]string{"deduction": "abcdefgh-_1"}
	c.SMS = SMS{Provider: "tencent", Region: "ap-guangzhou", AppID: "1400006666", SecretID: "AKIDz8krbsJ5yKBZQpn7", SecretKey: strings.Repeat("hush", 8), Sign: "亮车"}
	return c
}

func TestCheck(t *testing.T) {
	if p := full(t).Check(); len(p) > 0 {
		t.Fatalf("a complete configuration has problems: %v", p)
	}
	cases := map[string]func(c *Config){
		"listen":                          func(c *Config) { c.Listen = "localhost:70000" },
		"public_url":                      func(c *Config) { c.PublicURL = "http://car.example.com" },
		"log_level":                       func(c *Config) { c.LogLevel = "INFO" },
		"shutdown_seconds":                func(c *Config) { c.ShutdownSeconds = 0 },
		"database.driver":                 func(c *Config) { c.Database.Driver = "postgres" },
		"database.dsn":                    func(c *Config) { c.Database.DSN = "u:p@tcp(h:3306)" },
		"database.path":                   func(c *Config) { c.Database = Database{Driver: "sqlite"} },
		"database.max_conns":              func(c *Config) { c.Database.MaxConns = -1 },
		"secret.keyset":                   func(c *Config) { c.Secret.Keyset = "{}" },
		"wechat.mini_program.secret":      func(c *Config) { c.WeChat.MiniProgram.Secret = "a b" },
		"wechat.mini_program.token":       func(c *Config) { c.WeChat.MiniProgram.Token = "" },
		"wechat.official_account.app_id":  func(c *Config) { c.WeChat.OfficialAccount.AppID = c.WeChat.MiniProgram.AppID },
		"wechat.official_account.aes_key": func(c *Config) { c.WeChat.OfficialAccount.AESKey = "short" },
		"wechat.pay.mch_id":               func(c *Config) { c.WeChat.Pay.MchID = "" },
		"wechat.pay.api_v3_key":           func(c *Config) { c.WeChat.Pay.APIv3Key = "short" },
		"wechat.pay.merchant_serial":      func(c *Config) { c.WeChat.Pay.MerchantSerial = "5157f0" },
		"wechat.pay.merchant_private_key": func(c *Config) { c.WeChat.Pay.MerchantPrivateKey = c.WeChat.Pay.PublicKey },
		"wechat.pay.mode":                 func(c *Config) { c.WeChat.Pay.Mode = "" },
		"wechat.pay.public_key":           func(c *Config) { c.WeChat.Pay.PublicKey = "PEM" },
		"wechat.pay.public_key_id":        func(c *Config) { c.WeChat.Pay.PublicKeyID = "" },
		"wechat.endpoints.open":           func(c *Config) { c.WeChat.Endpoints.Open = "ftp://open" },
		"wechat.timeout_seconds":          func(c *Config) { c.WeChat.TimeoutSeconds = 99 },
		"sms.provider":                    func(c *Config) { c.SMS = SMS{Sign: "亮车"} },
		"sms.region":                      func(c *Config) { c.SMS.Region = "Guangzhou" },
		"sms.app_id":                      func(c *Config) { c.SMS.Provider = "aliyun" },
		"sms.secret_id":                   func(c *Config) { c.SMS.SecretID = "" },
		"sms.secret_key":                  func(c *Config) { c.SMS.SecretKey = "a b" },
		"sms.sign":                        func(c *Config) { c.SMS.Sign = "【亮车】" },
		"sms.endpoint":                    func(c *Config) { c.SMS.Endpoint = "http://sms.example.com" },
		"wechat.templates.topup":          func(c *Config) { c.WeChat.Templates["topup"] = "?" },
	}
	for key, breakIt := range cases {
		c := full(t)
		breakIt(&c)
		if p := c.Check(); len(p) != 1 || p[0].Key != key || p[0].Message == "" {
			t.Errorf("%s: got %v", key, p)
		}
	}
	// A switching merchant: certificates, and the public key beside them or not at all.
	c := full(t)
	c.WeChat.Pay.Mode = "certificate"
	if p := c.Check(); len(p) != 0 {
		t.Errorf("switching: %v", p)
	}
	c.WeChat.Pay.PublicKey, c.WeChat.Pay.PublicKeyID = "", ""
	if p := c.Check(); len(p) != 0 {
		t.Errorf("certificates only: %v", p)
	}
	for _, ok := range []string{"http://127.0.0.1:8080", "http://[::1]:8080", "http://192.168.1.9", "http://car.localhost", "https://car.example.com:8443"} {
		if c.PublicURL = ok; len(c.Check()) != 0 {
			t.Errorf("%s was refused", ok)
		}
	}
	for _, bad := range []string{"car.example.com", "https://", "https://a.b/c", "https://a.b?x", "https://u@a.b", "ftp://127.0.0.1", "https://a.b#"} {
		if c.PublicURL = bad; len(c.Check()) != 1 {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestRedactedHidesSecretsAndLoadsAgain(t *testing.T) {
	c := full(t)
	text := c.Redacted()
	for _, f := range fields(&c) {
		if f.secret && strings.Contains(text, f.value.String()) {
			t.Errorf("%s is printed", f.key)
		}
		last := f.key[strings.LastIndex(f.key, ".")+1:]
		if !regexp.MustCompile(`(?m)^ *` + last + `:`).MatchString(text) {
			t.Errorf("%s is not printed:\n%s", f.key, text)
		}
	}
	back, err := gather(write(t, "c.yaml", text), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if back["wechat.pay.public_key_id"].value != c.WeChat.Pay.PublicKeyID || back["wechat.templates.deduction"].value != "abcdefgh-_1" ||
		back["database.dsn"].value != "***" || back["database.max_conns"].value != 5 {
		t.Errorf("got %v", back)
	}
	if strings.Contains(fmt.Sprint(Default().Redacted()), "***") {
		t.Error("what is not set needs no stars")
	}
}

// documented reads the keys of the example with the comment above each and the line's value.
func documented(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^( *)([a-z0-9_]+):`)
	out := map[string]string{}
	var path []string
	comment := ""
	for _, l := range strings.Split(string(b), "\n") {
		switch m := line.FindStringSubmatch(l); {
		case m != nil:
			path = append(path[:len(m[1])/2], m[2])
			out[strings.Join(path, ".")] = strings.TrimSpace(comment)
			comment = ""
		case strings.HasPrefix(strings.TrimSpace(l), "#"):
			comment += strings.Trim(l, "# ") + " "
		default:
			comment = ""
		}
	}
	return out
}

func TestExampleLoadsAndDocumentsEveryKey(t *testing.T) {
	if _, err := Load("../../config.example.yaml", []string{"LIANGCHE_SECRET__KEYSET=" + keyset}); err != nil {
		t.Error(err)
	}
	doc := documented(t)
	c := Default()
	var want []string
	for _, f := range fields(&c) {
		if f.value.Kind() == reflect.Map {
			for _, e := range events {
				want = append(want, f.key+"."+e)
			}
			continue
		}
		want = append(want, f.key)
		if text := doc[f.key] + doc[f.key+"_file"]; f.hasFile != strings.Contains(text, "(file)") {
			t.Errorf("%s: the example must say (file) exactly where %s_file exists", f.key, f.key)
		}
	}
	for _, key := range want {
		if len(doc[key])+len(doc[key+"_file"]) < 5 {
			t.Errorf("config.example.yaml: %s has no comment or is missing", key)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(good, "LIANGCHE_LISTEN=:1")
	f.Add("database: {dsn: [1, {a: b}]}\nwechat: {templates: }", "LIANGCHE_WECHAT__TEMPLATES=x")
	f.Add("a: &a [*a]", "LIANGCHE_=|.|")
	f.Add("wechat.pay: {mode: 1}\n? {x: y}\n: z", "LIANGCHE_A|B=1")
	path := filepath.Join(f.TempDir(), "fuzz.yaml")
	f.Fuzz(func(t *testing.T, text, variable string) {
		if strings.Contains(strings.ToLower(text+variable), "_file") {
			return // never read arbitrary files
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path, []string{variable})
		if (err == nil) != (len(c.Check()) == 0) && err == nil {
			t.Errorf("accepted, but Check says %v", c.Check())
		}
		_ = c.Redacted()
	})
}
