package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/wxsandbox"
	"github.com/liangche/liangche/migrations"
)

// DemoOptions are what a demo is started with.
type DemoOptions struct {
	Listen    string // host:port; port 0 picks one
	PublicURL string // "" is the address listened on
	Dir       string // everything that the demo keeps
	Log       *slog.Logger
	Out       io.Writer // the addresses go here
	Empty     bool      // no shop, no members: for tests that build their own
	Database  *db.Config
	Clock     clock.Clock // nil is the machine's
	Ready     func(*Demo) // called once everything answers
	Tune      func(*config.Config)
	Sandbox   func(*wxsandbox.Options)
}

// Demo is a running system together with its WeChat sandbox.
type Demo struct {
	*App
	Sandbox *wxsandbox.Sandbox
	URL     string
}

// demoTemplates are the templates of the sandboxed apps: the mini-program's first, then the official account's.
var demoTemplates = func() (all []wxsandbox.Template) {
	type field = wxsandbox.Field
	money := func(what string) []field {
		return []field{{Key: "thing1", Label: what}, {Key: "amount2", Label: "金额"}, {Key: "amount3", Label: "账户余额"}, {Key: "time4", Label: "时间"}}
	}
	for _, app := range []string{wxsandbox.AppMP, wxsandbox.AppOA} {
		all = append(all,
			wxsandbox.Template{ID: "lc-" + app + "-deduction", App: app, Title: "消费扣款通知", Fields: append(money("消费项目"), field{Key: "thing5", Label: "消费门店"})},
			wxsandbox.Template{ID: "lc-" + app + "-topup", App: app, Title: "充值成功通知", Fields: money("充值方案")},
			wxsandbox.Template{ID: "lc-" + app + "-reversal", App: app, Title: "消费撤销通知", Fields: append(money("撤销项目"), field{Key: "thing5", Label: "门店"})},
			wxsandbox.Template{ID: "lc-" + app + "-refund", App: app, Title: "退款通知", Fields: money("退款说明")})
		for _, x := range [][2]string{{"booking_confirmed", "预约成功通知"}, {"booking_reminder", "预约提醒"}, {"booking_changed", "预约变更通知"}, {"booking_cancelled", "预约取消通知"},
			{"booking_offer", "候补名额通知"}, {"car_ready", "完工提醒"}} {
			all = append(all, wxsandbox.Template{ID: "lc-" + app + "-" + x[0], App: app, Title: x[1], Fields: []field{{Key: "thing1", Label: "项目"}, {Key: "time2", Label: "时间"},
				{Key: "thing3", Label: "门店"}, {Key: "car_number4", Label: "车牌"}, {Key: "thing5", Label: "说明"}}})
		}
		for _, x := range [][3]string{
			{"pass_sold", "购卡成功通知", "thing1 卡名,amount2 金额,time3 时间,thing4 说明"},
			{"pass_expiring", "次卡到期提醒", "thing1 卡名,date2 到期日,thing3 说明"},
			{"pass_renewal", "自动续期提醒", "thing1 卡名,amount2 金额,date3 续期日,thing4 说明"},
			{"points_expiring", "积分到期提醒", "thing1 提醒,number2 积分,date3 到期日,thing4 说明"},
			{"tier_changed", "会员等级变更通知", "thing1 等级,thing2 原因,time3 时间"},
			{"membership_ends", "付费会员到期提醒", "thing1 会员,date2 到期日,thing3 说明"},
			{"coupon_received", "优惠券到账通知", "thing1 优惠券,date2 有效期至,thing3 说明"},
			{"coupon_expiring", "优惠券到期提醒", "thing1 优惠券,number2 张数,date3 到期日,thing4 说明"},
			{"mall_ready", "商城取货通知", "thing1 商品,thing2 门店,thing3 说明,time4 时间"},
			{"mall_shipped", "商城发货通知", "thing1 商品,thing2 说明,character_string3 单号,time4 时间"},
			{"referral_rewarded", "推荐奖励通知", "thing1 说明,thing2 奖励,time3 时间"},
			{"group_approval", "付款确认提醒", "thing1 说明,amount2 金额,car_number3 车牌,time4 时间,thing5 操作"},
		} {
			t := wxsandbox.Template{ID: "lc-" + app + "-" + x[0], App: app, Title: x[1]}
			for f := range strings.SplitSeq(x[2], ",") {
				key, label, _ := strings.Cut(f, " ")
				t.Fields = append(t.Fields, field{Key: key, Label: label})
			}
			all = append(all, t)
		}
		all = append(all, laidOut(app, all)...)
	}
	return all
}()

// laidOut are templates for the events that have none yet, with the fields of the catalogue; the official account has none for marketing.
func laidOut(app string, have []wxsandbox.Template) (out []wxsandbox.Template) {
	for _, e := range notify.Events() {
		id := "lc-" + app + "-" + e.Event
		if slices.ContainsFunc(have, func(t wxsandbox.Template) bool { return t.ID == id }) || (app == wxsandbox.AppOA && e.Marketing()) || e.TextOnly() {
			continue
		}
		t := wxsandbox.Template{ID: id, App: app, Title: e.Title + "通知"}
		number := func(key string) int {
			n, _ := strconv.Atoi(strings.TrimLeft(key, "abcdefghijklmnopqrstuvwxyz_"))
			return n
		}
		for _, key := range slices.SortedFunc(maps.Keys(e.Layout), func(a, b string) int { return number(a) - number(b) }) {
			label := "说明"
			for _, f := range e.Fields {
				if f.Name == e.Layout[key] {
					label = f.Label
				}
			}
			t.Fields = append(t.Fields, wxsandbox.Field{Key: key, Label: label})
		}
		out = append(out, t)
	}
	return out
}

func demoTemplateIDs(app string) map[string]string {
	out := map[string]string{}
	for _, t := range demoTemplates {
		if event, ok := strings.CutPrefix(t.ID, "lc-"+app+"-"); ok {
			out[event] = t.ID
		}
	}
	return out
}

// RunDemo serves the whole system with a sandbox in place of WeChat until ctx ends. The same folder again continues where it was.
func RunDemo(ctx context.Context, o DemoOptions) error {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", o.Listen, err)
	}
	if o.PublicURL == "" {
		o.PublicURL = "http://" + reachable(ln.Addr().String())
	}
	d, moving, err := openDemo(ctx, o)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() {
		if err := errors.Join(d.Sandbox.Close(), d.Close()); err != nil {
			o.Log.Error("the demo did not end cleanly", "err", err)
		}
	}()
	return d.ServeAfter(ctx, ln, func(ctx context.Context) error {
		if err := d.prepare(ctx, o, moving); err != nil {
			return err
		}
		printAddresses(o)
		if o.Ready != nil {
			o.Ready(d)
		}
		return nil
	})
}

// reachable replaces an unspecified host, which nobody can dial, by loopback.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

func openDemo(ctx context.Context, o DemoOptions) (*Demo, *clock.Switch, error) {
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, nil, err
	}
	cfg, cred, err := demoConfig(o)
	if err != nil {
		return nil, nil, err
	}
	moving := clock.NewSwitch(o.Clock)
	u, err := url.Parse(o.PublicURL)
	if err != nil {
		return nil, nil, fmt.Errorf("public URL: %w", err)
	}
	so := wxsandbox.Options{PublicURL: o.PublicURL + "/sandbox", Name: "亮车洗护", OAuthHosts: []string{u.Host}, MiniProgramURL: o.PublicURL + "/h5/", OfficialAccountURL: o.PublicURL + "/h5/",
		Templates: demoTemplates, StateFile: filepath.Join(o.Dir, "sandbox-state.json"), NotifySpeedup: 5, Now: moving.Now, RealNow: clock.System().Now, Logger: o.Log,
		Pay: wxsandbox.PayOptions{RefundInterval: -1, BillsImmediate: true}}
	demoSMS(&so)
	demoPushes(&so, o.PublicURL)
	if o.Sandbox != nil {
		o.Sandbox(&so)
	}
	sb, err := wxsandbox.New(so, cred)
	if err != nil {
		return nil, nil, err
	}
	a, err := Open(ctx, Options{Config: cfg, Clock: moving, Log: o.Log, Demo: true, Bridge: "/sandbox/bridge.js", Extra: sb.Handler()})
	if err != nil {
		return nil, nil, errors.Join(err, sb.Close())
	}
	return &Demo{App: a, Sandbox: sb, URL: o.PublicURL}, moving, nil
}

// What a demo folder holds, beside the sandbox's state.
const (
	demoDatabase    = "liangche.db"
	demoCredentials = "sandbox-credentials.json"
	demoKeyset      = "keyset.json"
	demoBlobs       = "blobs"
)

// demoConfig is the configuration of a demo: everything points at its sandbox. Identifiers and keys are made at the first start.
func demoConfig(o DemoOptions) (config.Config, wxsandbox.Credentials, error) {
	c := config.Default()
	cred, err := sandboxCredentials(o.Dir)
	if err != nil {
		return c, cred, err
	}
	keyset, err := keep(filepath.Join(o.Dir, demoKeyset), func() (json.RawMessage, error) { return secret.Generate() })
	if err != nil {
		return c, cred, err
	}
	c.PublicURL, c.Secret.Keyset = o.PublicURL, string(keyset)
	c.Database.Path = filepath.Join(o.Dir, demoDatabase)
	if o.Database != nil {
		c.Database = config.Database{Driver: string(o.Database.Driver), Path: o.Database.Path, DSN: o.Database.DSN, MaxConns: o.Database.MaxConns}
	}
	c.Storage.Dir = filepath.Join(o.Dir, demoBlobs)
	sandbox := o.PublicURL + "/sandbox"
	c.WeChat.MiniProgram, c.WeChat.OfficialAccount = demoApp(cred.MiniProgram), demoApp(cred.OfficialAccount)
	c.WeChat.Pay = config.Pay{MchID: cred.MchID, APIv3Key: cred.APIv3Key, MerchantSerial: cred.MerchantSerial, MerchantPrivateKey: cred.MerchantPrivateKeyPEM,
		Mode: "public_key", PublicKeyID: cred.PlatformPublicKeyID, PublicKey: cred.PlatformPublicKeyPEM}
	c.WeChat.Endpoints = config.Endpoints{API: sandbox, Open: sandbox, Pay: sandbox}
	c.WeChat.Templates, c.WeChat.OATemplates = demoTemplateIDs(wxsandbox.AppMP), demoTemplateIDs(wxsandbox.AppOA)
	c.SMS = demoSMSConfig(cred, sandbox)
	if o.Tune != nil {
		o.Tune(&c)
	}
	return c, cred, nil
}

func sandboxCredentials(dir string) (wxsandbox.Credentials, error) {
	file := filepath.Join(dir, demoCredentials)
	c, err := keep(file, func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(clock.System().Now()) })
	if err == nil && c.CompletePush() { // an older folder
		b, _ := json.MarshalIndent(c, "", "  ") // our own struct
		err = os.WriteFile(file, b, 0o600)
	}
	return c, err
}

// keep reads a JSON file, or makes its content and writes it for the next start.
func keep[T any](file string, fresh func() (T, error)) (v T, err error) {
	b, err := os.ReadFile(file)
	if err == nil {
		if err = json.Unmarshal(b, &v); err != nil {
			err = fmt.Errorf("%s: %w", file, err)
		}
		return v, err
	}
	if !errors.Is(err, os.ErrNotExist) {
		return v, err
	}
	if v, err = fresh(); err != nil {
		return v, err
	}
	if b, err = json.MarshalIndent(v, "", "  "); err != nil {
		return v, err
	}
	return v, os.WriteFile(file, b, 0o600)
}

// prepare migrates and, in a fresh folder, lives through the shop's last months on a clock of its own.
func (d *Demo) prepare(ctx context.Context, o DemoOptions, moving *clock.Switch) error {
	applied := 0
	now := o.Clock.Now()
	past := clock.NewManual(now.AddDate(0, 0, -historyDays))
	if err := d.DB.Migrate(ctx, migrations.FS, func(string) { applied++ }); err != nil {
		return err
	}
	if applied > 0 {
		fmt.Fprintf(o.Out, "数据库已就绪（%d 步迁移）\n", applied)
	}
	stores, err := d.Shops.Stores(ctx)
	if err != nil {
		return err
	}
	seed := len(stores) == 0 && !o.Empty
	if seed {
		moving.Follow(past)
		defer moving.Follow(o.Clock)
	}
	if err := d.Install(ctx); err != nil {
		return err
	}
	if !seed {
		return errors.Join(d.continueRoster(ctx), d.continueBookings(ctx))
	}
	begin := clock.Stopwatch()
	fmt.Fprintln(o.Out, "正在准备演示数据：两家门店、30 位会员、三个月的流水和预约 …")
	if err := unhurried(ctx, d.DB, func() error { return d.seed(ctx, past, now, o.Out) }); err != nil {
		return fmt.Errorf("demo data: %w", err)
	}
	fmt.Fprintf(o.Out, "演示数据已就绪，用时 %s\n", begin().Round(100*time.Millisecond))
	return nil
}

func printAddresses(o DemoOptions) {
	u := o.PublicURL
	fmt.Fprintf(o.Out, `
亮车演示已启动：
  车主 H5        %[1]s/h5/
  员工页面       %[1]s/h5/#/pkg-staff/login/index
  管理后台       %[1]s/console/
  沙箱手机       %[1]s/sandbox/      （扮演车主、付款、看消息）
  API 文档       %[1]s/docs          （%[1]s/openapi.json）

`, u)
	if !o.Empty {
		fmt.Fprintf(o.Out, "  后台与员工账号（密码都是 %s）：\n", DemoPassword)
		for _, s := range demoStaff {
			if s.username == "" {
				continue
			}
			fmt.Fprintf(o.Out, "    %-10s %s\n", s.username, s.label)
		}
	}
	fmt.Fprintf(o.Out, "\n数据保存在 %s，按 Ctrl+C 结束；下次用同一目录会接着来。\n", o.Dir)
}
