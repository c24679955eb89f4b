// Package app is the composition root: it builds every slice, wires what they need of each other, and serves.
//
// Model: an App is one running instance over one database; the commands of cmd/liangche are thin uses of it.
// Owns: nothing. Invariants: dependencies are handed over here and nowhere else; no rule lives here.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/blob"
	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/console"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/mall"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/memberview"
	"github.com/liangche/liangche/internal/merge"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/oa"
	"github.com/liangche/liangche/internal/outreach"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/rain"
	"github.com/liangche/liangche/internal/referral"
	"github.com/liangche/liangche/internal/remind"
	"github.com/liangche/liangche/internal/report"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/session"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
	"github.com/liangche/liangche/internal/sms"
	"github.com/liangche/liangche/internal/staff"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/migrations"
)

// Version is stamped by the build.
var Version = "dev"

// Options are what an App is built from.
type Options struct {
	Config config.Config
	Clock  clock.Clock
	Log    *slog.Logger
	Demo   bool         // shows the API documentation; loads Bridge into the H5 pages
	Bridge string       // demo: address of the script that stands in for WeChat's browser
	Extra  http.Handler // demo: what else answers on the same address, below /sandbox/
}

// App is one instance of the system.
type App struct {
	opt     Options
	log     *slog.Logger
	DB      *db.DB
	Queue   *jobs.Queue
	Box     *secret.Box
	WeChat  *wechat.Client
	SMS     sms.Sender
	Router  *httpapi.Router
	metrics *metrics

	prepared atomic.Bool

	Photos   *blob.Service
	Settings *setting.Service
	Shops    *shop.Service
	Roster   *roster.Service
	Catalog  *catalog.Service
	Members  *member.Service
	Staff    *staff.Service
	Payments *payment.Service
	Messages *notify.Service
	Tiers    *tier.Service
	Wallet   *wallet.Service
	Checkout *checkout.Service
	Sales    *sale.Service
	Passes   *pass.Service
	Points   *points.Service
	Coupons  *coupon.Service
	Groups   *group.Service
	Gifts    *campaign.Service
	Mall     *mall.Service
	Referral *referral.Service
	Slots    *slot.Service
	Bookings *booking.Service
	Official *oa.Service
	Outreach *outreach.Service
	Rain     *rain.Service

	Reminders *remind.Service
	Merges    *merge.Service
}

// Open opens the database and builds every slice. It does not migrate. Faults: a plain error that names the wrong key or
// what could not be reached.
func Open(ctx context.Context, opt Options) (*App, error) {
	c := opt.Config
	box, err := secret.New([]byte(c.Secret.Keyset))
	if err != nil {
		return nil, fmt.Errorf("secret.keyset: %w", err)
	}
	d, err := db.Open(ctx, db.Config{Driver: db.Dialect(c.Database.Driver), Path: c.Database.Path, DSN: c.Database.DSN, MaxConns: c.Database.MaxConns}, opt.Clock)
	if err != nil {
		return nil, err
	}
	wx, err := wechat.New(ctx, wechatConfig(c), opt.Log)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	texts, err := sms.New(sms.Config{Provider: c.SMS.Provider, Region: c.SMS.Region, AppID: c.SMS.AppID, SecretID: c.SMS.SecretID, SecretKey: c.SMS.SecretKey, Sign: c.SMS.Sign,
		Endpoint: c.SMS.Endpoint, Clock: opt.Clock})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	a := &App{opt: opt, log: opt.Log, DB: d, Box: box, WeChat: wx, SMS: texts, metrics: newMetrics()}
	a.build()
	a.routes()
	return a, nil
}

func wechatConfig(c config.Config) wechat.Config {
	w := c.WeChat
	return wechat.Config{
		MiniProgram:     wechat.App{AppID: w.MiniProgram.AppID, Secret: w.MiniProgram.Secret, Token: w.MiniProgram.Token, AESKey: w.MiniProgram.AESKey},
		OfficialAccount: wechat.App{AppID: w.OfficialAccount.AppID, Secret: w.OfficialAccount.Secret, Token: w.OfficialAccount.Token, AESKey: w.OfficialAccount.AESKey},
		Pay: wechat.Pay{MchID: w.Pay.MchID, APIv3Key: w.Pay.APIv3Key, MerchantSerial: w.Pay.MerchantSerial, MerchantPrivateKeyPEM: w.Pay.MerchantPrivateKey, Mode: w.Pay.Mode,
			PublicKeyID: w.Pay.PublicKeyID, PublicKeyPEM: w.Pay.PublicKey, NotifyURL: c.PublicURL + "/hooks/wxpay/notify", RefundNotifyURL: c.PublicURL + "/hooks/wxpay/refund"},
		Endpoints: wechat.Endpoints{API: w.Endpoints.API, Open: w.Endpoints.Open, Pay: w.Endpoints.Pay},
		Timeout:   time.Duration(w.TimeoutSeconds) * time.Second,
	}
}

func (a *App) build() {
	c, d := a.opt.Config, a.DB
	a.Queue = jobs.New(d, a.log)
	a.Photos = blob.New(blob.NewFolder(c.Storage.Dir))
	a.Settings = setting.New(d)
	a.Shops = shop.New(d)
	a.Catalog = catalog.New(d, a.Shops)
	a.Tiers = tier.New(d)
	a.Members = member.New(d, a.Box, a.Settings, a.WeChat, a.Catalog, member.Options{
		AuthorizeURL:  a.authorizeURL,
		SecureCookies: secure(c.PublicURL),
		StoreExists:   func(ctx context.Context, id int64) error { _, err := a.Shops.Store(ctx, id); return err },
		Unfinished:    func(ctx context.Context, id int64) (int, error) { return a.Bookings.Unfinished(ctx, id) },
		Open:          func(ctx context.Context, id int64) error { return a.Mall.Uncollected(ctx, id) },
		EraseTx:       a.eraseTx,
		LinkedTx:      a.linkedTx,
		VehicleTx: func(ctx context.Context, tx *db.Tx, c member.VehicleChange) error {
			return a.Reminders.VehicleTx(ctx, tx, c)
		},
		Texts:        a.texts(),
		TextProvider: c.SMS.Provider,
		Log:          a.log,
		InvitedTx: func(ctx context.Context, tx *db.Tx, id int64, code string) error {
			return a.Referral.InvitedTx(ctx, tx, id, code)
		},
		JoinedTx: func(ctx context.Context, tx *db.Tx, id, identity int64) error {
			return a.Official.JoinedTx(ctx, tx, id, identity)
		},
	})
	a.Members.Connect(owed{balances{d}, []func(context.Context, int64) (money.Fen, error){
		func(ctx context.Context, id int64) (money.Fen, error) { return a.Passes.Owed(ctx, id) }, a.Tiers.Owed}}, tierNames{d, a.Tiers})
	a.Staff = staff.New(d, a.Box, a.WeChat, a.Members, staffStores{a.Shops}, staff.Options{
		SecureCookies: secure(c.PublicURL),
		InviteURL:     c.PublicURL + "/h5/#/pkg-staff/login/index?invite=",
		ShopName:      func(ctx context.Context) (string, error) { return a.Settings.Text(ctx, setting.ShopName) },
		Demo:          a.opt.Demo,
	})
	a.Roster = roster.New(d, colleagues{a.Staff}, a.Shops)
	texts := notify.SMS(a.SMS)
	if c.SMS.Provider == sms.None {
		texts = nil
	}
	follows := func(ctx context.Context, openID string) (bool, bool, error) { return a.Official.Following(ctx, openID) }
	a.Messages = notify.New(d, a.Queue, directory{a.Members, follows}, a.WeChat, a.Settings, notify.Options{Templates: templates(c.WeChat.Templates),
		OfficialTemplates: templates(c.WeChat.OATemplates), SMS: texts, People: reach{a.Members, a.Shops}, Self: a.self, SaveSettings: a.Settings.UpdateTx, Campaigns: campaigns{a}, PageBase: c.PublicURL + "/h5/#/"})
	a.Payments = payment.New(d, a.Queue, a.WeChat, a.log)
	a.Wallet = wallet.New(d, a.log, a.Members, a.Payments, a.Catalog, a.Shops, a.Settings, a.Messages)
	a.Sales = sale.New(d, a.log, a.Members, a.Payments, a.Shops, a.Settings)
	a.Passes = pass.New(pass.Deps{DB: d, Log: a.log, Queue: a.Queue, Members: a.Members, Catalog: a.Catalog, Shops: a.Shops, Settings: a.Settings, Messages: a.Messages, Sales: a.Sales})
	a.Checkout = checkout.New(d, a.log, a.Members, a.Payments, a.Catalog, a.Tiers, a.Shops, a.Settings, a.Messages)
	a.Groups = group.New(group.Deps{DB: d, Box: a.Box, Members: a.Members, Tiers: a.Tiers, Catalog: a.Catalog, Shops: a.Shops, Settings: a.Settings, Messages: a.Messages, Queue: a.Queue,
		Documents: a.Photos, InviteURL: c.PublicURL + "/h5/#/pages/club/groups/join?code="})
	a.Points = points.New(d, a.log, a.Members, a.Shops, a.Settings, a.Messages, tierIDs{a.Tiers}.of)
	a.Points.Multiply(a.Tiers.PointsRate)
	a.Coupons = coupon.New(coupon.Deps{DB: d, Log: a.log, Box: a.Box, Queue: a.Queue, Members: a.Members, Catalog: a.Catalog, Shops: a.Shops, Settings: a.Settings,
		Messages: a.Messages, People: people{d}, BaseURL: c.PublicURL + "/h5/#/", Invite: func(ctx context.Context, id int64) (string, error) {
			code, err := a.Referral.Code(ctx, id)
			return code.Code, err
		}})
	a.Slots = slot.New(d)
	a.Bookings = booking.New(booking.Deps{DB: d, Log: a.log, Box: a.Box, Members: a.Members, Payments: a.Payments, Catalog: a.Catalog, Tiers: a.Tiers, Shops: a.Shops,
		Roster: a.Roster, Slots: a.Slots, Settings: a.Settings, Messages: a.Messages})
	a.Bookings.Live(a.Queue, a.Photos)
	a.Gifts = campaign.New(d, a.log, a.Box, a.Members, a.Tiers, ratings{a.Bookings})
	a.Mall = mall.New(mall.Deps{DB: d, Log: a.log, Box: a.Box, Members: a.Members, Catalog: a.Catalog, Tiers: a.Tiers, Shops: a.Shops, Points: a.Points, Sales: a.Sales, Gifts: a.Gifts,
		Messages: a.Messages, ImageURL: a.Photos.URL})
	a.Referral = referral.New(referral.Deps{DB: d, Log: a.log, Box: a.Box, Members: a.Members, Gifts: a.Gifts, Messages: a.Messages, Codes: a.WeChat, Pictures: a.Photos,
		PageBase: c.PublicURL + "/h5/#/"})
	a.Official = oa.New(d, a.log, a.Queue, a.WeChat, a.Members, oa.Deps{GiftTx: a.Gifts.FirstFollowTx, InvitedTx: a.Referral.InvitedTx, ForgetTx: a.Members.ForgetIdentityTx, DeliveredTx: a.Messages.DeliveredTx,
		StoreName: a.storeName, ShopName: func(ctx context.Context) (string, error) { return a.Settings.Text(ctx, setting.ShopName) }, PublicURL: c.PublicURL})
	a.Reminders = remind.New(remind.Deps{DB: d, Log: a.log, Queue: a.Queue, Members: a.Members, Messages: a.Messages, Settings: a.Settings, Shops: a.Shops, Catalog: a.Catalog, Tiers: a.Tiers,
		Visits: carVisits{a.Checkout, a.Bookings}, Gifts: birthdayGifts(a.Gifts)})
	a.buildOutreach(c)
	a.Merges = a.merges()
	a.givers()
	a.Checkout.Connect(a.Bookings.Visits())
	a.Checkout.Bring(checkout.Assets{Passes: a.Passes, Coupons: a.Coupons, Points: a.Points, Groups: a.Groups})
	a.Shops.Watch(a.Bookings.Affected)
	a.Roster.Watch(a.Bookings.Affected)
	a.Tiers.Connect(a.Settings, tier.Deps{Log: a.log, People: a.Members, Messages: a.Messages, Catalog: a.Catalog, Shops: a.Shops, Sales: a.Sales, Accounts: a.Groups, Queue: a.Queue, ImageURL: a.Photos.URL, Names: a.Members.MaskedNames})
	a.Members.Jobs(a.Queue)
	a.Staff.Jobs(a.Queue)
	a.Slots.Jobs(a.Queue)
	a.Points.Jobs(a.Queue)
	a.Coupons.Jobs(a.Queue)
	a.Gifts.Jobs(a.Queue)
	a.Referral.Jobs(a.Queue)
	a.Queue.Every("ledger.fold", 10*time.Minute, func(ctx context.Context) error { return ledger.Fold(ctx, a.DB) })
	a.Queue.Every("app.purge", 6*time.Hour, a.purge)
}

// eraseTx ends and forgets what other slices keep of a member who leaves.
func (a *App) eraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	for _, f := range []func(context.Context, *db.Tx, int64) error{a.Bookings.EraseTx, a.Mall.EraseTx, a.Groups.MemberLeftTx, a.Points.ForfeitTx, a.Coupons.EraseTx, a.Tiers.EraseTx, a.Reminders.EraseTx, a.Outreach.EraseTx, a.Merges.EraseTx, a.Messages.EraseTx} {
		if err := f(ctx, tx, memberID); err != nil {
			return err
		}
	}
	return nil
}

// purge forgets what nobody will ask for again: idempotency keys after 30 days, ended sessions and done jobs after 7.
func (a *App) purge(ctx context.Context) error {
	now := a.DB.Now()
	err := a.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := idem.PurgeTx(ctx, tx, now.AddDate(0, 0, -30).UnixMilli()); err != nil {
			return err
		}
		return session.PurgeTx(ctx, tx, now.AddDate(0, 0, -7).UnixMilli())
	})
	return errors.Join(err, a.Queue.Purge(ctx, now.AddDate(0, 0, -7).UnixMilli()))
}

func (a *App) authorizeURL(state string) string {
	if a.opt.Config.WeChat.OfficialAccount.AppID == "" {
		return ""
	}
	return a.WeChat.AuthorizeURL(a.opt.Config.PublicURL+"/hooks/oauth/return", state, "snsapi_base")
}

// Authenticate resolves a token by its kind; it is the edge's authenticator.
func (a *App) Authenticate(ctx context.Context, kind actor.Kind, token string) (actor.Actor, error) {
	if kind == actor.Staff {
		return a.Staff.Authenticate(ctx, token)
	}
	return a.Members.Authenticate(ctx, token)
}

func (a *App) routes() {
	c := a.opt.Config
	frame := ""
	if a.opt.Demo {
		frame = "'self'"
	}
	a.Router = httpapi.New(httpapi.Options{Title: "Liangche 亮车", Version: Version, Log: a.log, Auth: a, SecureCookies: secure(c.PublicURL), TrustProxy: c.TrustProxy,
		HSTS: secure(c.PublicURL), FrameAncestors: frame, Observe: a.metrics.observe})
	store := func(ctx context.Context, id int64) string {
		s, err := a.Shops.Store(ctx, id)
		if err != nil {
			return ""
		}
		return s.Name
	}
	for _, s := range []interface{ Routes(*httpapi.Router) }{
		a.Members, a.Staff, a.Settings, audit.New(a.DB, store), a.Photos, a.Shops, a.Roster, a.Catalog, a.Tiers, a.Messages, a.Payments, a.Wallet, a.Sales, a.Passes, a.Checkout, a.Bookings,
		a.Points, a.Coupons, a.Groups, a.Gifts, a.Mall, a.Referral, a.Official, a.Outreach, a.Rain, a.Reminders, a.Merges,
		memberview.New(a.DB, a.Members, a.Tiers, a.Shops, a.Settings).Offer(onSale{a.Passes, a.Catalog}),
		report.New(a.DB, a.Shops, a.Members, a.Settings, a.Groups), console.New(a.DB, a.Members, a.Shops),
		memberview.Config{Settings: a.Settings, Members: a.Members, Templates: c.WeChat.Templates, Demo: a.opt.Demo},
	} {
		s.Routes(a.Router)
	}
	a.pages()
}

// storeName names a store. Fault: fault.ErrNotFound.
func (a *App) storeName(ctx context.Context, id int64) (string, error) {
	s, err := a.Shops.Store(ctx, id)
	return s.Name, err
}

// Migrate brings the database's schema up to date and installs what every shop starts with.
func (a *App) Migrate(ctx context.Context, step func(name string)) error {
	if err := a.DB.Migrate(ctx, migrations.FS, step); err != nil {
		return err
	}
	return a.Install(ctx)
}

// Install makes what every shop starts with, where it is missing: roles, charter, default tier.
func (a *App) Install(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("初次安装"))
	return errors.Join(a.Staff.EnsureRoles(ctx), a.Members.EnsureCharter(ctx), a.Tiers.EnsureDefault(ctx))
}

// Close closes the database.
func (a *App) Close() error { return a.DB.Close() }
