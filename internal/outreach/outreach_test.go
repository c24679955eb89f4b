package outreach

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/sms"
	"github.com/liangche/liangche/internal/wechat"
)

// rig is a shop whose members came when the test says so. Everybody has a verified phone.
type rig struct {
	*Service
	*shopfloor.Floor
	t      testing.TB
	mu     sync.Mutex
	came   map[int64][]Visit
	born   []Born
	sent   []sms.Message
	wechat int
	gone   map[int64]bool // members who are suspended or left, for the filter
	ids    []int64
	gift   int64
}

func (r *rig) Visits(_ context.Context, members []int64, since string) (map[int64][]Visit, error) {
	out := map[int64][]Visit{}
	for _, id := range members {
		for _, v := range r.came[id] {
			if v.Day >= since {
				out[id] = append(out[id], v)
			}
		}
	}
	return out, nil
}

func (r *rig) Born(_ context.Context, month string) (out []Born, _ error) {
	for _, b := range r.born {
		if b.Birthday[5:7] == month {
			out = append(out, b)
		}
	}
	return out, nil
}

func (r *rig) Holdings(context.Context, []int64) (map[int64]Holding, error) { return nil, nil }

func (r *rig) Find(_ context.Context, _ coupon.Filter, after int64, limit int) (out []int64, _ error) {
	for _, id := range r.ids {
		if id > after && !r.gone[id] && len(out) < limit {
			out = append(out, id)
		}
	}
	return out, nil
}
func (r *rig) Count(context.Context, coupon.Filter) (int64, error) { return int64(len(r.ids)), nil }
func (r *rig) Textable(_ context.Context, ids []int64) ([]int64, error) {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return r.gone[id] }), nil
}

// The people whom messages reach: everybody has both apps with grants, and a phone.
func (r *rig) Recipients(_ context.Context, id int64) ([]notify.Recipient, error) {
	return []notify.Recipient{{App: notify.MiniProgram, OpenID: fmt.Sprint("mp", id)}, {App: notify.OfficialAccount, OpenID: fmt.Sprint("oa", id), Following: true}}, nil
}
func (r *rig) OpenID(_ context.Context, id int64) (string, string, error) {
	return notify.MiniProgram, fmt.Sprint("mp", id), nil
}
func (r *rig) Phone(_ context.Context, id int64) (string, error) {
	if r.gone[id] {
		return "", nil
	}
	return fmt.Sprintf("139%08d", id%100_000_000), nil
}
func (r *rig) Place(context.Context, int64) (int64, string, error) {
	return r.West, "Asia/Shanghai", nil
}
func (r *rig) Contacts(context.Context, []int64) (map[int64]notify.Contact, error) { return nil, nil }

func (r *rig) Send(_ context.Context, m sms.Message) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, m)
	return "biz", nil
}

// SendSubscribe and SendTemplate must never be called by what this package does.
func (r *rig) SendSubscribe(context.Context, wechat.SubscribeMessage) error { r.wechat++; return nil }
func (r *rig) SendTemplate(context.Context, wechat.TemplateMessage) (int64, error) {
	r.wechat++
	return 1, nil
}

func newRig(t testing.TB) *rig {
	t.Helper()
	f := shopfloor.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	q := jobs.New(f.DB, log)
	r := &rig{Floor: f, t: t, came: map[int64][]Visit{}, gone: map[int64]bool{}}
	templates := map[string]notify.TemplateConfig{}
	for _, e := range notify.Events() { // a shop that mapped everything, wisely or not
		templates[e.Event] = notify.TemplateConfig{ID: "tmpl-" + e.Event, Fields: map[string]string{"thing1": "title"}}
	}
	messages := notify.New(f.DB, q, r, r, f.Settings, notify.Options{Templates: templates, OfficialTemplates: templates, SMS: r, People: r, Campaigns: lazily{r}})
	coupons := coupon.New(coupon.Deps{DB: f.DB, Log: log, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, People: r})
	r.Service = New(Deps{DB: f.DB, Log: log, Queue: q, Members: f.Members, Shops: f.Shops, Coupons: coupons, Messages: messages, People: r, History: r, Texts: true,
		Points: points.New(f.DB, log, f.Members, f.Shops, f.Settings, messages, func(ctx context.Context, rd db.Reader, id int64) (int64, error) {
			x, err := f.Tiers.OfMember(ctx, rd, id)
			return x.ID, err
		}), ShopName: func(context.Context) (string, error) { return "亮车", nil }})
	x, err := coupons.CreateTemplate(f.Ctx(), coupon.TemplateInput{Terms: coupon.Terms{Name: "回店立减 10 元", Kind: coupon.KindAmount, OffFen: 1000, Stack: pricing.StackAny, ValidDays: 14}})
	shopfloor.Must(t, err)
	r.gift = x.ID
	for _, e := range []string{notify.MissedYou, notify.Birthday, notify.Holiday} {
		shopfloor.Must(t, messages.SaveTemplate(f.Ctx(), notify.Template{Channel: notify.TextMessage, Event: e, ID: "SMS_" + e, Fields: []notify.Field{{Key: "1", From: "name"}}}))
	}
	return r
}

// lazily is the campaigns of a service that is built after the messages.
type lazily struct{ r *rig }

func (l lazily) Campaign(ctx context.Context, id, m int64) (notify.Campaign, error) {
	return l.r.Service.Campaign(ctx, id, m)
}
func (l lazily) Broken(ctx context.Context, id int64, why string) error {
	return l.r.Service.Broken(ctx, id, why)
}

// join registers a member who came some days ago, each number one visit.
func (r *rig) join(name string, ago ...int) int64 {
	r.t.Helper()
	m := r.Member(name, fmt.Sprintf("138%08d", len(r.ids)+1), "")
	r.ids = append(r.ids, m)
	slices.Sort(ago)
	slices.Reverse(ago)
	for _, n := range ago {
		r.came[m] = append(r.came[m], Visit{Day: bizday.Add(r.Service.today(), -n), StoreID: r.West})
	}
	return m
}

func (r *rig) consent(ids ...int64) {
	r.t.Helper()
	for _, id := range ids {
		_, err := r.Messages.SetPreference(r.Ctx(), id, notify.Preference{SMS: true, Calls: true, Marketing: true})
		shopfloor.Must(r.t, err)
	}
}

func (r *rig) find() { r.t.Helper(); shopfloor.Must(r.t, r.Service.Find(r.t.Context())) }

func (r *rig) lines(kind, state string) []Line {
	r.t.Helper()
	out, _, err := r.Lines(r.Ctx(), Filter{Kind: kind, State: state, Limit: 50})
	shopfloor.Must(r.t, err)
	return out
}

func (r *rig) day() { r.Clock.Advance(24 * time.Hour) }

func (r *rig) work() { r.t.Helper(); shopfloor.Must(r.t, r.Queue.Drain(r.t.Context())) }

func (r *rig) coupons(m int64) int {
	r.t.Helper()
	list, err := r.Coupons.Usable(r.t.Context(), r.DB, coupon.Ask{MemberID: m, StoreID: r.West, ClassID: r.Car, At: r.Clock.Now(), BizDay: r.Service.today()})
	shopfloor.Must(r.t, err)
	return len(list)
}
