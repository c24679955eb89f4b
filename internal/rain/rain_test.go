package rain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/sale"
)

func TestWhichWashesCount(t *testing.T) {
	wash, wax := Item{ID: 1, Kind: "wash"}, Item{ID: 2, Kind: "detail"}
	all := DefaultRule()
	named := DefaultRule()
	named.ServiceIDs, named.MinFen = []int64{2}, 3000
	for _, c := range []struct {
		name string
		rule Rule
		wash Wash
		want bool
	}{
		{"a wash", all, Wash{MemberID: 1, WorthFen: 4500, Services: []Item{wash}}, true},
		{"among others", all, Wash{MemberID: 1, WorthFen: 4500, Services: []Item{wax, wash}}, true},
		{"no wash", all, Wash{MemberID: 1, WorthFen: 4500, Services: []Item{wax}}, false},
		{"a walk-in", all, Wash{WorthFen: 4500, Services: []Item{wash}}, false},
		{"a free re-wash", all, Wash{MemberID: 1, Services: []Item{wash}}, false},
		{"the named service", named, Wash{MemberID: 1, WorthFen: 3000, Services: []Item{wax}}, true},
		{"another than the named", named, Wash{MemberID: 1, WorthFen: 3000, Services: []Item{wash}}, false},
		{"below the least amount", named, Wash{MemberID: 1, WorthFen: 2999, Services: []Item{wax}}, false},
	} {
		if got := c.rule.counts(c.wash); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestProtectedTime(t *testing.T) {
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		shopfloor.Must(t, err)
		return x
	}
	marked := at("2026-11-18T15:30:00+08:00")
	for _, c := range []struct {
		name     string
		from     int
		created  time.Time
		wantFrom string
		wantTo   string
	}{
		{"when it began is known", 14 * 60, marked, "2026-11-17T14:00:00+08:00", "2026-11-18T14:00:00+08:00"},
		{"not known: until somebody noted it", 0, marked, "2026-11-17T00:00:00+08:00", "2026-11-18T15:30:00+08:00"},
		{"not known, noted on the next day", 0, at("2026-11-19T09:00:00+08:00"), "2026-11-17T00:00:00+08:00", "2026-11-19T00:00:00+08:00"},
		{"expected later today", 20 * 60, marked, "2026-11-17T20:00:00+08:00", "2026-11-18T20:00:00+08:00"},
	} {
		from, to, err := Day{Date: "2026-11-18", FromMinute: c.from, CreatedAt: c.created, Rule: Rule{Hours: 24}}.protected("Asia/Shanghai")
		if err != nil || !from.Equal(at(c.wantFrom)) || !to.Equal(at(c.wantTo)) {
			t.Errorf("%s: %v to %v, %v", c.name, from, to, err)
		}
	}
}

// rig is a shop with rain, coupons and passes. What the till settled is told by the test.
type rig struct {
	*Service
	*shopfloor.Floor
	t       testing.TB
	mu      sync.Mutex
	washes  []Wash
	gone    map[int64]bool
	excused map[string]bool
	due     []int64
	sales   *sale.Service
	voucher int64
	orders  int64
}

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

func (r *rig) Washes(_ context.Context, _ int64, from, to time.Time, after int64, limit int) (out []Wash, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.washes {
		if w.OrderID > after && !w.At.Before(from) && w.At.Before(to) && !r.gone[w.OrderID] && len(out) < limit {
			out = append(out, w)
		}
	}
	return out, nil
}

func (r *rig) Reversed(_ context.Context, ids []int64) (out []int64, _ error) {
	for _, id := range ids {
		if r.gone[id] {
			out = append(out, id)
		}
	}
	return out, nil
}

func (r *rig) Expected(context.Context, int64, string, time.Time, time.Time) ([]int64, error) {
	return r.due, nil
}

func (r *rig) ExcuseTx(_ context.Context, tx *db.Tx, _ int64, dedupe, _ string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.excused[dedupe] {
		return false, nil
	}
	tx.AfterCommit(func() { r.mu.Lock(); r.excused[dedupe] = true; r.mu.Unlock() })
	return true, nil
}

func newRig(t testing.TB) *rig {
	t.Helper()
	f := shopfloor.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	q := jobs.New(f.DB, log)
	messages := notify.New(f.DB, q, nobody{}, nil, f.Settings, notify.Options{})
	sales := sale.New(f.DB, log, f.Members, payment.New(f.DB, q, nil, log), f.Shops, f.Settings)
	passes := pass.New(pass.Deps{DB: f.DB, Log: log, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, Sales: sales})
	coupons := coupon.New(coupon.Deps{DB: f.DB, Log: log, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages})
	r := &rig{Floor: f, t: t, gone: map[int64]bool{}, excused: map[string]bool{}, sales: sales}
	r.Service = New(Deps{DB: f.DB, Log: log, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Coupons: coupons, Passes: passes, Messages: messages, Washes: r, Bookings: r})
	x, err := coupons.CreateTemplate(f.Ctx(), coupon.TemplateInput{Terms: coupon.Terms{Name: "雨后补洗券", Kind: coupon.KindService, ServiceIDs: []int64{f.Wash}, Stack: pricing.StackAny, ValidDays: 14}})
	shopfloor.Must(t, err)
	r.voucher = x.ID
	return r
}

// rule saves a rule that gives vouchers, changed.
func (r *rig) rule(change ...func(*Rule)) {
	r.t.Helper()
	rule := DefaultRule()
	rule.Vouchers, rule.TemplateID = true, r.voucher
	for _, f := range change {
		f(&rule)
	}
	_, err := r.SaveRule(r.Ctx(), rule)
	shopfloor.Must(r.t, err)
}

// wash is a settled wash of a member some hours ago.
func (r *rig) wash(member int64, ago time.Duration) Wash {
	r.orders++
	w := Wash{OrderID: r.orders, MemberID: member, At: r.Clock.Now().Add(-ago), Plate: "浙A12345", WorthFen: 4500, Services: []Item{{ID: r.Wash, Kind: "wash"}}}
	r.washes = append(r.washes, w)
	return w
}

func (r *rig) rain() Day {
	r.t.Helper()
	d, err := r.MarkDay(r.Ctx(), Mark{StoreID: r.West, Date: r.today()})
	shopfloor.Must(r.t, err)
	r.give(d.ID)
	return r.day(d.ID)
}

func (r *rig) today() string {
	st, err := r.Floor.Shops.Store(r.t.Context(), r.West)
	shopfloor.Must(r.t, err)
	return st.BizDay(r.Clock.Now())
}

func (r *rig) give(id int64) { r.t.Helper(); shopfloor.Must(r.t, r.Give(system(r.t.Context()), id)) }

func (r *rig) day(id int64) Day {
	r.t.Helper()
	d, err := r.DayByID(r.t.Context(), id)
	shopfloor.Must(r.t, err)
	return d
}

// has is how many coupons of a member can be used.
func (r *rig) has(member int64) int {
	r.t.Helper()
	list, err := r.Coupons.Usable(r.t.Context(), r.DB, coupon.Ask{MemberID: member, StoreID: r.West, ClassID: r.Car, At: r.Clock.Now(), BizDay: r.today()})
	shopfloor.Must(r.t, err)
	return len(list)
}

func (r *rig) exact() {
	r.t.Helper()
	say := func(p string) { r.t.Error(p) }
	shopfloor.Must(r.t, r.Service.Audit(r.t.Context(), say))
	shopfloor.Must(r.t, r.Coupons.Audit(r.t.Context(), say))
	shopfloor.Must(r.t, r.Passes.Audit(r.t.Context(), say))
	shopfloor.Must(r.t, ledger.Audit(r.t.Context(), r.DB, say, func(int) {}))
}

func TestX09VouchersAfterRain(t *testing.T) {
	r := newRig(t)
	m, other := r.Member("林晓舟", "13800000001", ""), r.Member("陈知远", "13800000002", "")
	r.wash(m, 3*time.Hour)
	r.wash(m, 20*time.Hour)
	r.wash(m, 30*time.Hour)
	r.wash(other, 72*time.Hour) // too long ago
	if d := r.rain(); d.Vouchers != 0 || d.State != Done || r.has(m) != 0 {
		t.Fatalf("without a rule rain brings %+v", d)
	}
	_, err := r.Undo(r.Ctx(), r.first())
	shopfloor.Must(t, err)

	r.rule()
	d := r.rain()
	if d.Vouchers != 2 || r.has(m) != 2 || r.has(other) != 0 { // two a month
		t.Fatalf("%d vouchers, the members have %d and %d", d.Vouchers, r.has(m), r.has(other))
	}
	r.give(d.ID)
	if got := r.day(d.ID); got.Vouchers != 2 || r.has(m) != 2 {
		t.Fatalf("given again: %+v", got)
	}
	if _, err := r.MarkDay(r.Ctx(), Mark{StoreID: r.West, Date: r.today()}); !errors.Is(err, ErrMarked) {
		t.Fatalf("marked twice: %v", err)
	}
	r.Clock.Advance(10 * time.Minute)
	r.give(d.ID)
	if got := r.day(d.ID); got.State != Done {
		t.Fatalf("the day is %s", got.State)
	}
	r.exact()
}

// first is the id of the first day that was marked.
func (r *rig) first() int64 {
	list, err := r.Days(r.Ctx(), r.West, r.today()[:7])
	shopfloor.Must(r.t, err)
	return list[0].ID
}

func TestX09NobodyWhoIsSuspended(t *testing.T) {
	r := newRig(t)
	r.rule()
	m := r.Member("林晓舟", "13800000001", "")
	r.wash(m, time.Hour)
	shopfloor.Must(t, r.Floor.Members.Suspend(r.Ctx(), m, "欠费未处理"))
	if d := r.rain(); d.Vouchers != 0 {
		t.Fatalf("%d vouchers for somebody who is suspended", d.Vouchers)
	}
	r.exact()
}

func TestX09ReversedWashTakesItsVoucher(t *testing.T) {
	r := newRig(t)
	r.rule()
	m := r.Member("林晓舟", "13800000001", "")
	w := r.wash(m, time.Hour)
	r.rain()
	r.gone[w.OrderID] = true
	shopfloor.Must(t, r.Tick(t.Context()))
	if r.has(m) != 0 {
		t.Fatal("the voucher of a reversed wash can be used")
	}
	r.exact()
}

func TestX09Undo(t *testing.T) {
	r := newRig(t)
	r.rule(func(x *Rule) { x.PassDays = 1 })
	m := r.Member("林晓舟", "13800000001", "")
	p := r.period(m)
	r.wash(m, time.Hour)
	d := r.rain()
	if d.Vouchers != 1 || d.Passes != 1 {
		t.Fatalf("rain brought %+v", d)
	}
	if got := r.pass(p); got.ExpiresAt.Sub(p.ExpiresAt) != 24*time.Hour {
		t.Fatalf("the pass ends at %v, before at %v", got.ExpiresAt, p.ExpiresAt)
	}
	if got, err := r.Undo(r.Ctx(), d.ID); err != nil || got.State != Undone {
		t.Fatalf("%+v, %v", got, err)
	}
	if got := r.pass(p); !got.ExpiresAt.Equal(p.ExpiresAt) || r.has(m) != 0 {
		t.Fatalf("after the undo the pass ends at %v, %d vouchers are left", got.ExpiresAt, r.has(m))
	}
	if _, err := r.Undo(r.Ctx(), d.ID); !errors.Is(err, ErrUndone) {
		t.Fatalf("undone twice: %v", err)
	}
	r.exact()

	again := r.rain() // it did rain after all
	if again.Vouchers != 1 || again.Passes != 1 || r.has(m) != 1 {
		t.Fatalf("marked again: %+v", again)
	}
	list, err := r.Coupons.Usable(t.Context(), r.DB, coupon.Ask{MemberID: m, StoreID: r.West, ClassID: r.Car, At: r.Clock.Now(), BizDay: r.today()})
	shopfloor.Must(t, err)
	shopfloor.Must(t, r.DB.InTx(r.Ctx(), func(ctx context.Context, tx *db.Tx) error {
		return errors.Join(r.Coupons.HoldTx(ctx, tx, m, []int64{list[0].ID}, "order", 77, r.today()), r.Coupons.UseTx(ctx, tx, "order", 77))
	}))
	if _, err := r.Undo(r.Ctx(), again.ID); !errors.Is(err, ErrUsed) {
		t.Fatalf("undone although a voucher was used: %v", err)
	}
	if got := r.day(again.ID); got.State == Undone || r.pass(p).ExpiresAt.Equal(p.ExpiresAt) {
		t.Fatal("a refused undo took something back")
	}
	r.exact()
}

// period sells a month of washing.
func (r *rig) period(m int64) pass.Pass {
	r.t.Helper()
	plan, err := r.Passes.CreatePlan(r.Ctx(), pass.PlanInput{Offer: pass.Offer{Name: "洗车月卡", Kind: pass.KindUnlimited, PerDay: 1, PriceFen: 19900, ValidMonths: 1,
		Lines: []pass.PlanLine{{ServiceIDs: []int64{r.Wash}, ListFen: 4500}}}, OnSale: true})
	shopfloor.Must(r.t, err)
	x, _, err := r.sales.Begin(r.Ctx(), sale.Buy{Kind: pass.SalePass, SubjectID: plan.ID, MemberID: m, StoreID: r.West, Plate: "浙A12345"}, sale.Pay{Method: "cash", Reference: "r"})
	shopfloor.Must(r.t, err)
	p, err := r.Passes.Pass(r.t.Context(), m, x.ResultID)
	shopfloor.Must(r.t, err)
	return p
}

func (r *rig) pass(p pass.Pass) pass.Pass {
	r.t.Helper()
	got, err := r.Passes.Pass(r.t.Context(), 0, p.ID)
	shopfloor.Must(r.t, err)
	return got
}

func TestX09UndoAfterThePassLivesOnIt(t *testing.T) {
	r := newRig(t)
	r.rule(func(x *Rule) { x.Vouchers, x.PassDays = false, 1 })
	p := r.period(r.Member("林晓舟", "13800000001", ""))
	d := r.rain()
	r.Clock.Set(p.ExpiresAt.Add(time.Hour))
	if _, err := r.Undo(r.Ctx(), d.ID); !errors.Is(err, ErrPassed) {
		t.Fatalf("undone although the pass runs on the day that it was given: %v", err)
	}
	r.exact()
}

func TestX09RebookingOnce(t *testing.T) {
	r := newRig(t)
	r.rule(func(x *Rule) { x.Vouchers, x.Rebooking = false, true })
	r.due = []int64{11, 12}
	d := r.rain()
	r.give(d.ID)
	if got := r.day(d.ID); got.Bookings != 2 || len(r.excused) != 2 {
		t.Fatalf("%d bookings excused, the day says %d", len(r.excused), got.Bookings)
	}
}

// Two instances give at the same time, while a third one undoes: what was given is exactly what is noted, and each wash and pass once.
func TestX09TwoInstances(t *testing.T) {
	r := newRig(t)
	r.rule(func(x *Rule) { x.PassDays = 1 })
	var members []int64
	for i, name := range []string{"林晓舟", "陈知远", "王小满", "赵一鸣", "周思远", "吴清"} {
		m := r.Member(name, fmt.Sprintf("1380000010%d", i), "")
		members = append(members, m)
		r.wash(m, time.Hour)
		r.wash(m, 2*time.Hour)
	}
	p := r.period(members[0])
	d, err := r.MarkDay(r.Ctx(), Mark{StoreID: r.West, Date: r.today()})
	shopfloor.Must(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := r.Give(system(t.Context()), d.ID); err != nil && !errors.Is(err, fault.ErrBusyWrite) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.give(d.ID)
	if got := r.day(d.ID); got.Vouchers != 12 || got.Passes != 1 {
		t.Fatalf("%+v", got)
	}
	for _, m := range members {
		if r.has(m) != 2 {
			t.Errorf("member %d has %d vouchers", m, r.has(m))
		}
	}
	if got := r.pass(p).ExpiresAt.Sub(p.ExpiresAt); got != 24*time.Hour {
		t.Errorf("the pass got %v", got)
	}
	r.exact()
}

func TestX09BadInput(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name string
		mark Mark
		want *fault.Error
	}{
		{"tomorrow", Mark{StoreID: r.West, Date: "2099-01-01"}, ErrTooOld},
		{"long ago", Mark{StoreID: r.West, Date: "2020-01-01"}, ErrTooOld},
		{"no date", Mark{StoreID: r.West, Date: "gestern"}, fault.ErrInvalid},
		{"no such store", Mark{StoreID: 1, Date: r.today()}, fault.ErrNotFound},
		{"a minute that is none", Mark{StoreID: r.West, Date: r.today(), FromMinute: 1440}, fault.ErrInvalid},
	} {
		if _, err := r.MarkDay(r.Ctx(), c.mark); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	elsewhere := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 8, Name: "小李", Stores: []int64{r.East}})
	if _, err := r.MarkDay(elsewhere, Mark{StoreID: r.West, Date: r.today()}); !errors.Is(err, fault.ErrStore) {
		t.Errorf("another store's: %v", err)
	}
	bad := DefaultRule()
	bad.Vouchers, bad.ServiceIDs = true, []int64{r.Wash, r.Wash, 1}
	if _, err := r.SaveRule(r.Ctx(), bad); !errors.Is(err, fault.ErrInvalid) || len(fault.As(err).Fields) != 3 {
		t.Errorf("a rule without a coupon: %v", err)
	}
}

// weather says that it rained on the dates that it holds.
type weather []string

func (w weather) Rained(_ context.Context, _, date string) (Shower, error) {
	return Shower{Rained: slices.Contains(w, date), FromMinute: 600}, nil
}

func TestX09WeatherProvider(t *testing.T) {
	r := newRig(t)
	r.Weather = weather{r.today()}
	shopfloor.Must(t, r.AskWeather(t.Context()))
	if list, err := r.Days(r.Ctx(), r.West, r.today()[:7]); err != nil || len(list) != 0 {
		t.Fatalf("marked although nobody asked for it: %v %v", list, err)
	}
	r.rule(func(x *Rule) { x.Automatic = true })
	shopfloor.Must(t, r.AskWeather(t.Context()))
	list, err := r.Days(r.Ctx(), r.West, r.today()[:7])
	if err != nil || len(list) != 1 || list[0].Source != Automatic || list[0].FromMinute != 600 {
		t.Fatalf("%+v %v", list, err)
	}
	_, err = r.Undo(r.Ctx(), list[0].ID)
	shopfloor.Must(t, err)
	shopfloor.Must(t, r.AskWeather(t.Context()))
	if list, _ := r.Days(r.Ctx(), r.West, r.today()[:7]); len(list) != 1 {
		t.Fatal("what somebody undid was marked again")
	}
}

// A person has the month's vouchers once, whoever of the members that were merged had the washes; a wash before the merge counts for who stayed.
func TestVouchersOfAMonthCountWhoWasMerged(t *testing.T) {
	r := newRig(t)
	r.rule(func(x *Rule) { x.PerMonth = 2 })
	from, into := r.Member("林晓舟", "13800000001", ""), r.Member("林晓舟", "13800000002", "")
	r.wash(from, time.Hour)
	d := r.rain()
	if r.has(from) != 1 {
		t.Fatalf("%+v", d)
	}
	r.wash(from, 30*time.Minute)
	r.wash(into, 20*time.Minute)
	shopfloor.Must(t, r.DB.InTx(actor.With(t.Context(), actor.Job("test")), func(ctx context.Context, tx *db.Tx) error {
		return errors.Join(r.Floor.Members.MergeTx(ctx, tx, from, into), r.Coupons.MergeTx(ctx, tx, from, into))
	}))
	r.give(d.ID)
	if got := r.day(d.ID); got.Vouchers != 2 || r.has(into) != 2 || r.has(from) != 0 {
		t.Fatalf("%d vouchers, who stayed has %d, who was merged %d", got.Vouchers, r.has(into), r.has(from))
	}
	r.exact()
	if _, err := r.Undo(r.Ctx(), d.ID); err != nil || r.has(into) != 0 {
		t.Errorf("undone: %v, %d are left", err, r.has(into))
	}
	if o, err := r.Outlook(r.Ctx(), Mark{StoreID: r.West, Date: r.today()}); err != nil || o.Vouchers != 2 {
		t.Errorf("would bring %+v %v", o, err)
	}
	r.exact()
}
