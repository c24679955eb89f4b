package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/site"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// run is the command line with an environment of its own.
func run(stdin string, env []string, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = app.Main(args, strings.NewReader(stdin), &o, &e, env)
	return code, o.String(), e.String()
}

// configured writes a complete configuration of a shop that talks to a sandbox, on SQLite.
func configured(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	cred := wxsandbox.Credentials{}
	if err := json.Unmarshal(must(credentials()), &cred); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("keyset.json", string(must(secret.Generate())))
	write("key.pem", cred.MerchantPrivateKeyPEM)
	write("pub.pem", cred.PlatformPublicKeyPEM)
	write("config.yaml", fmt.Sprintf(`
listen: "127.0.0.1:0"
public_url: "https://car.example.com"
database: {driver: sqlite, path: %q}
storage: {dir: %q}
secret: {keyset_file: keyset.json}
wechat:
  mini_program: {app_id: %q, secret: %q}
  official_account: {app_id: %q, secret: %q}
  pay: {mch_id: %q, api_v3_key: %q, merchant_serial: %q, merchant_private_key_file: key.pem, mode: public_key, public_key_id: %q, public_key_file: pub.pem}
`, filepath.Join(dir, "liangche.db"), filepath.Join(dir, "blobs"), cred.MiniProgram.AppID, cred.MiniProgram.Secret, cred.OfficialAccount.AppID, cred.OfficialAccount.Secret,
		cred.MchID, cred.APIv3Key, cred.MerchantSerial, cred.PlatformPublicKeyID))
	return filepath.Join(dir, "config.yaml")
}

func TestCommandLine(t *testing.T) {
	t.Run("called wrongly", func(t *testing.T) {
		for _, args := range [][]string{{}, {"washcar"}, {"serve", "--nonsense"}, {"config"}, {"config", "dance"}, {"openapi", "extra"}, {"demo", "--listen"}} {
			if code, out, errs := run("", nil, args...); code != 2 || !strings.Contains(errs, "liangche demo") || out != "" {
				t.Errorf("%v: %d %q %q", args, code, out, errs)
			}
		}
		if _, _, errs := run("", nil, "washcar"); !strings.Contains(errs, `unknown command "washcar"`) {
			t.Errorf("says %q", errs)
		}
	})
	t.Run("help and version", func(t *testing.T) {
		for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
			if code, out, _ := run("", nil, args...); code != 0 || !strings.Contains(out, "liangche audit") {
				t.Errorf("%v: %d %q", args, code, out)
			}
		}
		if code, out, _ := run("", nil, "version"); code != 0 || strings.TrimSpace(out) == "" {
			t.Errorf("version: %d %q", code, out)
		}
	})
	t.Run("config check names each wrong or missing key", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte("listen: nowhere\nlog_level: loud\ncolour: blue\nwechat:\n  pay:\n    mch_id: \"12345678\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errs := run("", nil, "config", "check", "--config", file)
		for _, key := range []string{"listen", "log_level", "colour", "public_url", "secret.keyset", "wechat.pay.api_v3_key", "wechat.pay.merchant_private_key"} {
			if !strings.Contains(errs, key) {
				t.Errorf("does not name %s: %s", key, errs)
			}
		}
		if code != 1 {
			t.Errorf("exit code %d", code)
		}
		if code, _, errs := run("", nil, "config", "check", "--config", file+".none"); code != 1 || !strings.Contains(errs, ".none") {
			t.Errorf("no file: %d %q", code, errs)
		}
	})
	file := configured(t)
	t.Run("config check of a good one, the environment wins, secrets are not shown", func(t *testing.T) {
		if code, out, errs := run("", nil, "config", "check", "--config", file); code != 0 || !strings.Contains(out, "complete and valid") {
			t.Errorf("%d %q %q", code, out, errs)
		}
		if code, _, errs := run("", []string{"LIANGCHE_LOG_LEVEL=loud"}, "config", "check", "--config", file); code != 1 || !strings.Contains(errs, "log_level") {
			t.Errorf("%d %q", code, errs)
		}
		code, out, _ := run("", nil, "config", "show", "--config", file)
		for _, hidden := range []string{"PRIVATE KEY", "encrypted", string(must(os.ReadFile(filepath.Join(filepath.Dir(file), "keyset.json"))))} {
			if strings.Contains(out, hidden) {
				t.Errorf("config show prints %.30s…", hidden)
			}
		}
		if code != 0 || !strings.Contains(out, "car.example.com") {
			t.Errorf("%d %q", code, out)
		}
	})
	t.Run("config keyset and rotate", func(t *testing.T) {
		code, out, _ := run("", nil, "config", "keyset")
		keys := filepath.Join(t.TempDir(), "keyset.json")
		if err := os.WriteFile(keys, []byte(out), 0o600); code != 0 || err != nil {
			t.Fatalf("%d %v", code, err)
		}
		old := must(secret.New([]byte(out)))
		sealed, index := must(old.Seal("phone", "13800010001")), old.Index("phone", "13800010001")
		if code, _, errs := run("", nil, "config", "rotate", "--keyset", keys); code != 0 {
			t.Fatalf("%d %q", code, errs)
		}
		b := must(os.ReadFile(keys))
		fresh := must(secret.New(b))
		if plain, err := fresh.Open("phone", sealed); err != nil || plain != "13800010001" || fresh.Index("phone", "13800010001") != index || bytes.Equal(b, []byte(out)) {
			t.Errorf("after rotating: %q %v; what is stored must stay readable and findable", plain, err)
		}
		if info, err := os.Stat(keys); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		if code, _, _ := run("", nil, "config", "rotate", "--keyset", keys+".none"); code != 1 {
			t.Errorf("no file: %d", code)
		}
	})
	t.Run("migrate, owner, audit", func(t *testing.T) {
		code, out, errs := run("", nil, "migrate", "--config", file)
		if code != 0 || !strings.Contains(out, "up to date") || strings.Contains(out, " 0 migrations") {
			t.Fatalf("%d %q %q", code, out, errs)
		}
		if code, out, _ = run("", nil, "migrate", "--config", file); code != 0 || !strings.Contains(out, " 0 migrations") {
			t.Errorf("again: %d %q", code, out)
		}
		if code, _, errs = run("short\n", nil, "owner", "--config", file, "--username", "boss"); code != 1 || !han(errs) {
			t.Errorf("a short password: %d %q", code, errs)
		}
		if code, out, errs = run(bossPassword+"\n", nil, "owner", "--config", file, "--username", "boss"); code != 0 || !strings.Contains(out, "https://car.example.com/console/") || strings.Contains(out+errs, bossPassword) {
			t.Errorf("owner: %d %q %q", code, out, errs)
		}
		if code, _, _ = run(bossPassword+"\n", nil, "owner", "--config", file, "--username", "boss"); code != 1 {
			t.Errorf("the same owner again: %d", code)
		}
		if code, out, errs = run("", nil, "audit", "--config", file); code != 0 || !strings.Contains(out, "nothing to report") {
			t.Errorf("audit: %d %q %q", code, out, errs)
		}
		d := must(db.Open(t.Context(), db.Config{Driver: db.SQLite, Path: filepath.Join(filepath.Dir(file), "liangche.db")}, clock.System()))
		defer d.Close()
		if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO ledger_accounts (id, member_id, unit, balance, held, seq, created_at) VALUES (77, 1, 'principal', 100, 0, 0, 0)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if code, out, errs = run("", nil, "audit", "--config", file); code != 1 || !strings.Contains(out, "ledger_accounts 77") || !strings.Contains(errs, "differences found") {
			t.Errorf("audit of a forged balance: %d %q %q", code, out, errs)
		}
		if code, _, _ = run("", nil, "audit", "--data", t.TempDir()); code != 1 {
			t.Errorf("audit of an empty folder: %d", code)
		}
	})
	t.Run("openapi", func(t *testing.T) {
		code, out, _ := run("", nil, "openapi")
		if code != 0 || !strings.Contains(out, "operationId: ownerHome") {
			t.Errorf("%d %.200q", code, out)
		}
		code, out, _ = run("", nil, "openapi", "--json")
		if code != 0 || !json.Valid([]byte(out)) {
			t.Errorf("%d %.200q", code, out)
		}
	})
}

// The demo continues in its folder: nobody is seeded twice, everything that was there is there.
func TestDemoContinues(t *testing.T) {
	if testing.Short() {
		t.Skip("lives through three months")
	}
	dir := t.TempDir()
	var said bytes.Buffer
	visit := func(see func(d *app.Demo), tune ...func(*app.DemoOptions)) time.Duration {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		took := clock.Stopwatch()
		var ready time.Duration
		o := app.DemoOptions{Listen: "127.0.0.1:0", Dir: dir, Log: slog.New(slog.DiscardHandler), Out: &said, Ready: func(d *app.Demo) {
			ready = took()
			see(d)
			stop()
		}}
		for _, f := range tune {
			f(&o)
		}
		err := app.RunDemo(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		return ready
	}
	type state struct{ members, orders, postings, personas int }
	look := func(d *app.Demo) (x state) {
		for q, n := range map[string]*int{"member_members": &x.members, "checkout_orders": &x.orders, "ledger_postings": &x.postings} {
			if err := d.DB.Get(t.Context(), n, "SELECT COUNT(*) FROM "+q); err != nil {
				t.Error(err)
			}
		}
		x.personas = len(d.Sandbox.Personas())
		return x
	}
	var first, second state
	visit(func(d *app.Demo) { first = look(d) })
	text := said.String()
	for _, want := range []string{"/h5/", "/console/", "/sandbox/", "/docs", "/pkg-staff/", app.DemoPassword} {
		if !strings.Contains(text, want) {
			t.Errorf("the demo does not print %s", want)
		}
	}
	if first.members != 30 || first.orders < 100 {
		t.Errorf("seeded %+v", first)
	}
	said.Reset()
	took := visit(func(d *app.Demo) {
		second = look(d)
		res, err := http.Get(d.URL + "/api/owner/config")
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		if b, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(b), `"demo":true`) {
			t.Errorf("%s %v", b, err)
		}
	})
	if second != first {
		t.Errorf("the second start found %+v, the first left %+v", second, first)
	}
	if strings.Contains(said.String(), "正在准备演示数据") || took > 15*time.Second {
		t.Errorf("the second start took %s and said %q", took, said.String())
	}
	// However long the folder lay still, there are shifts for the next two weeks, and every technician has a day off a week.
	later := clock.System().Now().AddDate(0, 0, 45)
	visit(func(d *app.Demo) {
		var under int
		if err := d.DB.Get(t.Context(), &under, `SELECT COUNT(*) FROM booking_bookings WHERE state IN ('queued', 'dispatched', 'arrived', 'in_service')`); err != nil || under != 0 {
			t.Errorf("%d cars have been in the shop for six weeks, %v", under, err)
		}
		stores, err := d.Shops.Stores(t.Context())
		if err != nil || len(stores) != 2 {
			t.Fatal(stores, err)
		}
		for i, st := range stores {
			today := st.BizDay(later)
			all, err := d.Roster.Shifts(t.Context(), st.ID, today, bizday.Add(today, 13))
			days, people := map[string]bool{}, map[int64]int{}
			for _, x := range all {
				days[x.Day] = true
				people[x.StaffID]++
			}
			if err != nil || len(days) != 14 || len(people) != []int{5, 3}[i] {
				t.Errorf("%s: %d days, %v, %v", st.Name, len(days), people, err)
			}
			for id, n := range people {
				if n != 12 {
					t.Errorf("%d works on %d of 14 days", id, n)
				}
			}
		}
	}, func(o *app.DemoOptions) { o.Clock = clock.NewManual(later) })
	if code, out, errs := run("", nil, "audit", "--data", dir); code != 0 || !strings.Contains(out, "nothing to report") {
		t.Errorf("audit of the demo: %d %q %q", code, out, errs)
	}
	copiesDemo(t, dir, later)
}

// The sandbox is a command of its own, so that another program can be pointed at it. A second process shows that it ends by a signal.
func TestSandboxCommand(t *testing.T) {
	if os.Getenv("LIANGCHE_TEST_MAIN") == "1" {
		os.Exit(app.Main(strings.Split(os.Getenv("LIANGCHE_TEST_ARGS"), "|"), os.Stdin, os.Stdout, os.Stderr, nil))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestSandboxCommand$")
	cmd.Env = append(os.Environ(), "LIANGCHE_TEST_MAIN=1", "LIANGCHE_TEST_ARGS=sandbox|--listen|"+addr+"|--data|"+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int, string) {
		res, err := http.Get("http://" + addr + path)
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			return 0, err.Error()
		}
		return res.StatusCode, string(b)
	}
	var status int
	var body string
	for range 200 {
		if status, body = get("/control"); status == http.StatusOK {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if status != http.StatusOK || !strings.Contains(body, "/control/faults") {
		t.Errorf("control: %d %s", status, body)
	}
	if status, body := get("/"); status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("phone: %d %.100s", status, body)
	}
	if status, body := get("/cgi-bin/token?grant_type=client_credential&appid=wx1234567890abcdef&secret=x"); status != http.StatusOK || !strings.Contains(body, "errcode") {
		t.Errorf("platform API: %d %s", status, body)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended by %v: %s", err, out.String())
	}
	for _, f := range []string{"sandbox-credentials.json", "sandbox-state.json"} {
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(out.String(), filepath.Join(dir, "sandbox-credentials.json")) {
		t.Errorf("said %q", out.String())
	}
}

// A binary that was built without Node says how to build the pages; everything else works.
func TestWithoutFrontEnds(t *testing.T) {
	w := httptest.NewRecorder()
	site.Handler("/h5/", fstest.MapFS{".gitkeep": {}}, "", "<p>make build</p>").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/h5/", nil))
	if w.Code != http.StatusServiceUnavailable && w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s := start(t)
	for _, path := range []string{"/h5/", "/console/"} {
		r := s.anonymous().do(http.MethodGet, path, nil)
		built := r.status == http.StatusOK
		if !built && (r.status != http.StatusServiceUnavailable || !strings.Contains(string(r.body), "make build")) {
			t.Errorf("%s: %d %.200s", path, r.status, r.body)
		}
		kept := map[bool]string{true: "no-cache", false: "no-store"}[built]
		csp := r.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "script-src 'self' 'unsafe") || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Cache-Control") != kept {
			t.Errorf("%s: headers %v", path, r.header)
		}
	}
	s.eventually("ready", func() bool { return s.anonymous().do(http.MethodGet, "/readyz", nil).status == http.StatusOK })
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "liangche_", "/openapi.json": "ownerHome", "/docs": "openapi.json"} {
		if r := s.anonymous().do(http.MethodGet, path, nil); r.status != http.StatusOK || !strings.Contains(string(r.body), want) {
			t.Errorf("%s: %d %.200s", path, r.status, r.body)
		}
	}
}

// What only the demo shows is not there in production.
func TestProductionShowsNoDemo(t *testing.T) {
	var cfg config.Config
	s := start(t, func(o *app.DemoOptions) { o.Tune = func(c *config.Config) { cfg = *c } })
	a, err := app.Open(t.Context(), app.Options{Config: cfg, Clock: s.clk, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, path := range []string{"/openapi.json", "/docs", "/docs.js", "/sandbox/", "/sandbox/control", "/debug/pprof/"} {
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("/readyz before it serves: %d", w.Code)
	}
}
