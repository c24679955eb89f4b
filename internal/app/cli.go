package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/blob"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/wxsandbox"
)

const usage = `liangche 亮车: members, stored value and checkout for car-wash shops, in WeChat

  liangche demo    [--listen 127.0.0.1:8080] [--data DIR] [--public-url URL]   everything with a WeChat sandbox, seeded
  liangche serve   [--config FILE]                             production
  liangche migrate [--config FILE]                             bring the database up to date
  liangche owner   [--config FILE] --username NAME             create the first owner's account; the password is read from standard input
  liangche audit   [--config FILE [--bill DATE] | --data DIR]  recompute everything about money; exit 1 when anything differs
  liangche backup  [--config FILE] FOLDER                      copy database and photos into a new folder while the service runs (SQLite)
  liangche restore [--config FILE] FOLDER                      bring a backup back to an empty place, prove it and audit it
  liangche copy    --from X --to Y                             copy everything into an empty database of another kind; X and Y are
                                                               configuration files, sqlite:FILE or mysql:DSN
  liangche config  check|show|keyset|rotate [--config FILE]    check or print the configuration; make or rotate an encryption keyset
  liangche openapi [--json]                                    print the API contract
  liangche sandbox [--listen 127.0.0.1:8090] [--data DIR]      the WeChat sandbox by itself
  liangche version
`

// errUsage asks for the usage text and exit code 2.
var errUsage = errors.New("usage")

// Main runs the command line and returns the exit code: 0 done, 1 failed or differences found, 2 called wrongly.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	TuneMemory()
	c := cli{stdin: stdin, out: stdout, err: stderr, env: environ}
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	commands := map[string]func(context.Context, []string) error{"demo": c.demo, "serve": c.serve, "migrate": c.migrate, "owner": c.owner, "audit": c.audit, "config": c.config,
		"backup": c.backup, "restore": c.restore, "copy": c.copy,
		"openapi": c.openapi, "sandbox": c.sandbox, "version": c.version, "help": c.help, "--help": c.help, "-h": c.help}
	run, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(stderr, "unknown command %q\n\n%s", args[0], usage)
		return 2
	}
	switch err := run(ctx, args[1:]); {
	case err == nil, errors.Is(err, context.Canceled):
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprint(stderr, usage)
		return 2
	default:
		fmt.Fprintln(stderr, "liangche:", err)
		return 1
	}
}

type cli struct {
	stdin    io.Reader
	out, err io.Writer
	env      []string
}

// flags parses arguments; whatever is left over is a mistake.
func (c cli) flags(name string, args []string, define func(*flag.FlagSet)) error {
	f := flag.NewFlagSet("liangche "+name, flag.ContinueOnError)
	f.SetOutput(c.err)
	define(f)
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if f.NArg() > 0 {
		fmt.Fprintf(c.err, "unexpected argument %q\n", f.Arg(0))
		return errUsage
	}
	return nil
}

func logger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: l}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

func (c cli) help(context.Context, []string) error    { fmt.Fprint(c.out, usage); return nil }
func (c cli) version(context.Context, []string) error { fmt.Fprintln(c.out, Version); return nil }

func (c cli) demo(ctx context.Context, args []string) error {
	o := DemoOptions{Out: c.out}
	var level string
	if err := c.flags("demo", args, func(f *flag.FlagSet) {
		f.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address to listen on")
		f.StringVar(&o.Dir, "data", "data/demo", "folder that keeps everything")
		f.StringVar(&o.PublicURL, "public-url", "", "address that browsers use, when it differs")
		f.BoolVar(&o.Empty, "empty", false, "start without demo data")
		f.StringVar(&level, "log", "warn", "debug, info, warn or error")
	}); err != nil {
		return err
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	o.Log = logger(c.err, level, "text")
	return RunDemo(ctx, o)
}

// open reads the configuration and opens the App.
func (c cli) open(ctx context.Context, name string, args []string, more func(*flag.FlagSet)) (*App, error) {
	var file string
	if err := c.flags(name, args, func(f *flag.FlagSet) {
		f.StringVar(&file, "config", "config.yaml", "configuration file")
		if more != nil {
			more(f)
		}
	}); err != nil {
		return nil, err
	}
	cfg, err := config.Load(file, c.env)
	if err != nil {
		return nil, err
	}
	if wxsandbox.IsSandboxAppID(cfg.WeChat.MiniProgram.AppID) || wxsandbox.IsSandboxMchID(cfg.WeChat.Pay.MchID) {
		fmt.Fprintln(c.err, "note: these are identifiers of the WeChat sandbox, not of WeChat")
	}
	return Open(ctx, Options{Config: cfg, Clock: clock.System(), Log: logger(c.err, cfg.LogLevel, cfg.LogFormat)})
}

func (c cli) serve(ctx context.Context, args []string) error {
	a, err := c.open(ctx, "serve", args, nil)
	if err != nil {
		return err
	}
	defer a.closeLogged()
	if err := a.Migrate(ctx, func(name string) { a.log.Info("migrated", "step", filepath.Base(name)) }); err != nil {
		return err
	}
	if ok, err := a.Staff.HasOwner(ctx); err != nil || !ok {
		if err != nil {
			return err
		}
		a.log.Warn("nobody can sign in yet: create the owner's account with `liangche owner --username NAME`")
	}
	if err := blob.NewFolder(a.opt.Config.Storage.Dir).Probe(); err != nil {
		return fmt.Errorf("storage.dir: %w", err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.opt.Config.Listen)
	if err != nil {
		return err
	}
	a.log.Info("serving", "listen", ln.Addr().String(), "public_url", a.opt.Config.PublicURL, "version", Version)
	return a.Serve(ctx, ln)
}

func (c cli) migrate(ctx context.Context, args []string) error {
	a, err := c.open(ctx, "migrate", args, nil)
	if err != nil {
		return err
	}
	defer a.closeLogged()
	n := 0
	if err := a.Migrate(ctx, func(name string) { n++; fmt.Fprintf(c.out, "%3d  %s\n", n, filepath.Base(name)) }); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "the database is up to date; %d migrations applied\n", n)
	return nil
}

func (c cli) owner(ctx context.Context, args []string) error {
	var username, name string
	a, err := c.open(ctx, "owner", args, func(f *flag.FlagSet) {
		f.StringVar(&username, "username", "", "user name of the owner")
		f.StringVar(&name, "name", "店主", "name shown to others")
	})
	if err != nil {
		return err
	}
	defer a.closeLogged()
	if err := a.Migrate(ctx, nil); err != nil {
		return err
	}
	fmt.Fprint(c.err, "password: ")
	line, err := io.ReadAll(io.LimitReader(c.stdin, 1024))
	if err != nil {
		return err
	}
	password, _, _ := strings.Cut(string(line), "\n")
	if _, err := a.Staff.CreateOwner(actor.With(ctx, actor.Job("命令行")), username, strings.TrimRight(password, "\r"), name); err != nil {
		return explain(err)
	}
	fmt.Fprintf(c.out, "\nthe owner %s may sign in at %s/console/\n", username, a.opt.Config.PublicURL)
	return nil
}

func (c cli) audit(ctx context.Context, args []string) error {
	var data, bill string
	a, err := c.openAudit(ctx, args, &data, &bill)
	if err != nil {
		return err
	}
	defer a.closeLogged()
	n, err := a.Audit(ctx, c.out, c.err)
	if err != nil {
		return err
	}
	if bill != "" {
		if err := a.Payments.AuditBill(ctx, bill, func(p string) { n++; fmt.Fprintln(c.out, "✗ "+p) }); err != nil {
			return fmt.Errorf("WeChat Pay's bill of %s: %w", bill, err)
		}
	}
	if n > 0 {
		return fmt.Errorf("%d differences found", n)
	}
	fmt.Fprintln(c.out, "✓ the books are exact: nothing to report")
	return nil
}

// openAudit opens a demo folder with --data, a configured system otherwise. A demo may be running over the folder: nothing in it is touched.
func (c cli) openAudit(ctx context.Context, args []string, data, bill *string) (*App, error) {
	for _, x := range args {
		if !strings.HasPrefix(strings.TrimLeft(x, "-"), "data") {
			continue
		}
		if err := c.flags("audit", args, func(f *flag.FlagSet) { f.StringVar(data, "data", "", "demo folder") }); err != nil {
			return nil, err
		}
		for _, name := range []string{demoDatabase, demoCredentials, demoKeyset} {
			if _, err := os.Stat(filepath.Join(*data, name)); err != nil {
				return nil, fmt.Errorf("%s holds no demo: %w", *data, err)
			}
		}
		o := DemoOptions{Dir: *data, PublicURL: "http://127.0.0.1", Log: logger(c.err, "warn", "text")}
		cfg, _, err := demoConfig(o)
		if err != nil {
			return nil, err
		}
		return Open(ctx, Options{Config: cfg, Clock: clock.System(), Log: o.Log})
	}
	return c.open(ctx, "audit", args, func(f *flag.FlagSet) {
		f.StringVar(bill, "bill", "", "also compare with WeChat Pay's trade bill of this date, 2006-01-31")
	})
}

func (c cli) config(_ context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	var file, keyset string
	if err := c.flags("config", args[1:], func(f *flag.FlagSet) {
		f.StringVar(&file, "config", "config.yaml", "configuration file")
		f.StringVar(&keyset, "keyset", "", "rotate: keyset file to rotate in place")
	}); err != nil {
		return err
	}
	switch args[0] {
	case "check":
		if _, err := config.Load(file, c.env); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "the configuration is complete and valid")
	case "show":
		cfg, err := config.Load(file, c.env)
		if err != nil {
			return err
		}
		fmt.Fprint(c.out, cfg.Redacted())
	case "keyset":
		b, err := secret.Generate()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s\n", b)
	case "rotate":
		return rotate(keyset)
	default:
		return errUsage
	}
	return nil
}

// rotate replaces a keyset file by one with a new primary key; the old keys stay for reading.
func rotate(file string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	fresh, err := secret.Rotate(old)
	if err != nil {
		return err
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, fresh, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

func (c cli) openapi(_ context.Context, args []string) error {
	var asJSON bool
	if err := c.flags("openapi", args, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "JSON instead of YAML") }); err != nil {
		return err
	}
	b, err := Contract(asJSON)
	if err != nil {
		return err
	}
	_, err = c.out.Write(b)
	return err
}

func (c cli) sandbox(ctx context.Context, args []string) error {
	var listen, dir, h5, hosts string
	if err := c.flags("sandbox", args, func(f *flag.FlagSet) {
		f.StringVar(&listen, "listen", "127.0.0.1:8090", "address to listen on")
		f.StringVar(&dir, "data", "data/sandbox", "folder that keeps identifiers, keys and state")
		f.StringVar(&h5, "h5", "http://127.0.0.1:8080/h5/", "address of the H5 app that the phone opens")
		f.StringVar(&hosts, "oauth-hosts", "127.0.0.1:8080", "hosts that OAuth may return to, separated by commas")
	}); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	cred, err := sandboxCredentials(dir)
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	now := clock.System().Now
	so := wxsandbox.Options{PublicURL: "http://" + reachable(ln.Addr().String()), OAuthHosts: strings.Split(hosts, ","), MiniProgramURL: h5, OfficialAccountURL: h5,
		Templates: demoTemplates, StateFile: filepath.Join(dir, "sandbox-state.json"), NotifySpeedup: 5, Now: now, RealNow: now, Logger: logger(c.err, "info", "text")}
	demoSMS(&so)
	sb, err := wxsandbox.New(so, cred)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: sb.Handler(), ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintf(c.out, "WeChat sandbox: http://%s/\nidentifiers and keys for config.yaml: %s\n", reachable(ln.Addr().String()), filepath.Join(dir, demoCredentials))
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = srv.Shutdown(end)
	}
	return errors.Join(err, sb.Close())
}

func (a *App) closeLogged() {
	if err := a.Close(); err != nil {
		a.log.Error("closing the database", "err", err)
	}
}
