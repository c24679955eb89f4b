package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/wxsandbox"
)

// Every test of this package reads the log of its system when it ends, written down to debug: it holds no secret of the configuration, no token, password
// or code that went over the wire, no phone number, name, plate or openid of a member.

// wires are the fields of requests and answers whose values are secrets, and the shortest that can be told from a word.
var wires = regexp.MustCompile(`"(accessToken|refreshToken|phoneToken|secret|password|old|new|inviteCode|code|codes|ticket)":\[?"([^"\\]{8,})"`)

// faultCode is what else is called a code.
var faultCode = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`)

// mobile is a phone number that is no part of something longer.
var mobile = regexp.MustCompile(`(?:^|[^0-9A-Za-z_-])(1[3-9][0-9]{9})(?:[^0-9A-Za-z_-]|$)`)

// seen collects the secrets that a test meets.
type seen struct {
	mu    sync.Mutex
	texts map[string]string // secret → what it is
}

func (x *seen) add(what, text string) {
	if len(text) < 8 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.texts == nil {
		x.texts = map[string]string{}
	}
	x.texts[text] = what
}

// wire notes the secrets of a body.
func (x *seen) wire(body []byte) {
	for _, m := range wires.FindAllSubmatch(body, -1) {
		if v := string(m[2]); !faultCode.MatchString(v) {
			x.add(string(m[1]), v)
		}
	}
}

// configured notes what the configuration of s holds.
func (x *seen) configured(t testing.TB, s *system) {
	t.Helper()
	c := s.Sandbox.Credentials()
	for _, a := range []wxsandbox.AppOptions{c.MiniProgram, c.OfficialAccount} {
		x.add("app secret", a.Secret)
		x.add("callback token", a.Token)
		x.add("callback key", a.AESKey)
	}
	x.add("API v3 key", c.APIv3Key)
	x.add("key of text messages", c.SMS().SecretKey)
	for _, pem := range []string{c.MerchantPrivateKeyPEM, c.PlatformPrivateKeyPEM} {
		for line := range strings.Lines(pem) {
			if line = strings.TrimSpace(line); len(line) > 40 && !strings.HasPrefix(line, "-") {
				x.add("private key", line)
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys struct {
		AEAD struct {
			Key []struct {
				Data struct{ Value string } `json:"keyData"`
			}
		}
		Index string
	}
	if err := json.Unmarshal(b, &keys); err != nil || keys.Index == "" || len(keys.AEAD.Key) == 0 || keys.AEAD.Key[0].Data.Value == "" {
		t.Fatalf("the keyset is not read: %v", err)
	}
	x.add("index key", keys.Index)
	for _, k := range keys.AEAD.Key {
		x.add("encryption key", k.Data.Value)
	}
	x.add("password", bossPassword)
	if user, _, ok := strings.Cut(s.cfg.DSN, "@"); ok {
		_, password, _ := strings.Cut(user, ":")
		x.add("database password", password)
	}
	for _, p := range s.Sandbox.Personas() {
		for app, id := range p.OpenIDs {
			x.add("openid at "+app, id)
		}
	}
}

// leaks are the secrets that stand in a log, each with the line.
func (x *seen) leaks(log string) (out []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	line := func(at int) string {
		from, to := strings.LastIndexByte(log[:at], '\n')+1, strings.IndexByte(log[at:], '\n')
		if to < 0 {
			return log[from:]
		}
		return log[from : at+to]
	}
	for text, what := range x.texts {
		if at := strings.Index(log, text); at >= 0 {
			out = append(out, what+" "+text+": "+line(at))
		}
	}
	for _, m := range mobile.FindAllStringSubmatchIndex(log, 20) {
		out = append(out, "phone number: "+line(m[2]))
	}
	return out
}

// silent fails the test when the log of s holds a secret.
func (s *system) silent(t testing.TB) {
	t.Helper()
	s.seen.configured(t, s)
	for _, l := range s.seen.leaks(s.log.String()) {
		t.Errorf("the log holds a %s", l)
	}
}

// The collector finds what it is there for: a log that held them would fail every test.
func TestLogsAreSearched(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	device := o.post("/api/owner/code-devices", obj{"deviceName": "手机"})
	s.drain()
	s.seen.configured(t, s)
	have := map[string]int{}
	for _, what := range s.seen.texts {
		have[what]++
	}
	for _, what := range []string{"app secret", "callback token", "callback key", "API v3 key", "key of text messages", "private key", "index key", "encryption key", "password",
		"accessToken", "refreshToken", "phoneToken", "secret", "inviteCode", "code", "openid at mp", "openid at oa"} {
		if have[what] == 0 {
			t.Errorf("no %s is known: %v", what, have)
		}
	}
	for text, what := range map[string]string{
		device.s("secret"): "secret", o.token: "accessToken", bossPassword: "password", s.Sandbox.Credentials().APIv3Key: "API v3 key",
		o.p.Phone: "phone number", o.p.OpenIDs[wxsandbox.AppMP]: "openid",
	} {
		if l := s.seen.leaks("time=1 level=ERROR msg=x err=\"… " + text + " …\"\n"); len(l) != 1 || !strings.HasPrefix(l[0], what) {
			t.Errorf("%s %q in a log is found as %v", what, text, l)
		}
	}
	if l := s.seen.leaks("payment=01JD13800138000 ms=13800138000123 code=member.not_joined"); len(l) > 0 {
		t.Errorf("found %v", l)
	}
	if log := s.log.String(); !strings.Contains(log, "level=DEBUG msg=request method=POST route=/api/owner/join") {
		t.Errorf("the log is not that of debug: %.500s", log)
	}
}
