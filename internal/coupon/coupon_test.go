package coupon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/setting"
)

// N15: one coupon is in one order at a time; an order that ends without it, or is taken back, gives it back.
func TestN15HeldOnceAndReleased(t *testing.T) {
	r := newRig(t)
	m, other := r.member(), r.member()
	c := r.issue(r.template("洗车减十元"), m)
	must(t, r.hold(m, 1, c))
	r.is(c, Held)
	r.refused(r.hold(m, 2, c), ErrHeld)
	if ids, _ := r.usable(m); len(ids) != 0 {
		t.Errorf("offered while held: %v", ids)
	}
	must(t, r.release(1))
	r.is(c, Available)
	must(t, r.release(1))
	r.refused(r.hold(other, 3, c), ErrForeign)
	r.refused(r.hold(m, 3, c, c), ErrHeld)
	r.refused(r.hold(m, 3, 404), ErrForeign)
	must(t, r.hold(m, 3, c))
	must(t, r.use(3))
	must(t, r.use(3))
	r.is(c, Used)
	r.refused(r.hold(m, 4, c), ErrUsed)
	must(t, r.release(3)) // the order was taken back
	r.is(c, Available)
	must(t, r.hold(m, 5, c))
	r.clk.Advance(40 * 24 * time.Hour)
	must(t, r.release(5))
	r.is(c, Expired)
	r.refused(r.hold(m, 6, c), ErrExpired)
	if f := fault.As(r.hold(m, 6, c)); len(f.Fields) != 1 || f.Fields[0].Field != "couponIds[0]" {
		t.Errorf("%+v", f.Fields)
	}
	r.clean()
}

// N15: of twenty carts that want the coupon at the same moment one gets it.
func TestN15TwoCartsAtOnce(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("洗车减十元")
	for round := range int64(5) {
		c := r.issue(tpl, m)
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range int64(20) {
			wg.Go(func() {
				err := r.hold(m, round*100+i+1, c)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !errors.Is(err, ErrHeld) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Fatalf("%d carts hold it", won)
		}
	}
	r.clean()
}

// All or none: a basket of which one coupon cannot be held holds none.
func TestHoldIsAllOrNone(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("洗车减十元")
	a, b := r.issue(tpl, m), r.issue(tpl, m)
	must(t, r.hold(m, 1, b))
	r.refused(r.hold(m, 2, a, b), ErrHeld)
	r.is(a, Available)
	r.clean()
}

// A coupon that goes with no other counts once a day, also when two orders begin at the same moment.
func TestOneADay(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("新客专享", func(in *TemplateInput) { in.Stack = pricing.StackNone })
	a, b, c := r.issue(tpl, m), r.issue(tpl, m), r.issue(tpl, m)
	r.refused(r.hold(m, 1, a, b), ErrAlone)
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, id := range []int64{a, b} {
		wg.Go(func() { errs[i] = r.hold(m, int64(10+i), id) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("%v", errs)
	}
	r.refused(errors.Join(errs...), ErrAlone)
	if ids, why := r.usable(m); len(ids) != 0 || len(why) != 2 {
		t.Errorf("%v %v", ids, why)
	}
	r.refused(r.hold(m, 20, c), ErrAlone)
	r.clk.Advance(24 * time.Hour)
	must(t, r.hold(m, 20, c))
	must(t, r.use(20))
	must(t, r.release(20))
	must(t, r.hold(m, 21, c))
	r.clean()
}

func TestUsableSaysWhy(t *testing.T) {
	r := newRig(t)
	m := r.member()
	far := r.issue(r.template("别的店", func(in *TemplateInput) { in.StoreIDs = []int64{r.store} }), m)
	later := r.issue(r.template("三天后", func(in *TemplateInput) { in.AfterDays = 3 }), m)
	free := r.issue(r.template("免费精洗", func(in *TemplateInput) { in.Kind, in.OffFen, in.ServiceIDs = KindService, 0, []int64{r.wash} }), m)
	if ids, why := r.usable(m); !slices.Equal(ids, []int64{far, free}) || len(why) != 1 {
		t.Errorf("%v %v", ids, why)
	}
	all, err := r.Usable(t.Context(), r.db, Ask{MemberID: m, StoreID: r.store + 1, ClassID: r.car, At: r.clk.Now(), BizDay: "2026-11-18"})
	must(t, err)
	if all[0].Why != "不能在本店使用" {
		t.Errorf("%+v", all[0])
	}
	r.refused(r.hold(m, 1, later), ErrNotYet)
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
		must(t, r.AheadTx(tx, []int64{m}))
		must(t, tx.Collect(ctx))
		ask := Ask{MemberID: m, StoreID: r.store, ClassID: r.car, At: tx.Now, BizDay: "2026-11-18"}
		got, err := r.Usable(ctx, tx, ask)
		must(t, err)
		must(t, r.HoldTx(ctx, tx, m, []int64{far}, "order", 9, bizday.Of(tx.Now, bizday.DefaultZone)))
		left, err := r.Usable(ctx, tx, ask)
		if must(t, err); len(got) != 3 || len(left) != 2 {
			t.Errorf("ahead: %d, after a hold %d", len(got), len(left))
		}
		return nil
	}))
	r.clk.Advance(3 * 24 * time.Hour)
	must(t, r.hold(m, 2, later))
	r.clean()
}

func TestIssueOnceAndLimit(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("每人两张", func(in *TemplateInput) { in.PerMember = 2 })
	give := func(key string, n int64) (ids []int64, err error) {
		err = r.tx(func(ctx context.Context, tx *db.Tx) (err error) {
			ids, err = r.IssueTx(ctx, tx, Issue{TemplateID: tpl, MemberID: m, N: n, Source: "campaign", Dedupe: key, Tell: true})
			return err
		})
		return ids, err
	}
	var wg sync.WaitGroup
	got := make([]int64, 8)
	for i := range got {
		wg.Go(func() {
			ids, err := give("birthday:1", 1)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = ids[0]
		})
	}
	wg.Wait()
	if len(slices.Compact(got)) != 1 {
		t.Errorf("one key gave %v", got)
	}
	_, err := give("x", 2)
	r.refused(err, ErrLimit)
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { _, errs[i] = give(fmt.Sprint("k", i), 1) })
	}
	wg.Wait()
	if n := r.count(`SELECT COUNT(*) FROM coupon_coupons WHERE member_id = ?`, m); n != 2 {
		t.Errorf("%d coupons, at most 2: %v", n, errs)
	}
	if n := r.count(`SELECT COUNT(*) FROM notify_messages WHERE event = ?`, notify.CouponReceived); n != 2 {
		t.Errorf("%d messages", n)
	}
	_, err = r.Give(r.ctx(), m, 404, 1, "补偿")
	r.refused(err, ErrTemplate)
	r.clean()
}

// Editing a template changes what comes after; stopping it issues no more.
func TestTermsAreFrozen(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("老条款")
	old := r.issue(tpl, m)
	off := false
	_, err := r.UpdateTemplate(r.ctx(), tpl, TemplateInput{Terms: Terms{Name: "新条款", Kind: KindPercent, PayBP: 8000, Stack: "any", ValidDays: 5}})
	must(t, err)
	next := r.issue(tpl, m)
	all, err := r.Usable(t.Context(), r.db, Ask{MemberID: m, At: r.clk.Now()})
	must(t, err)
	for _, c := range all {
		if (c.ID == old) != (c.AmountFen == 1000 && c.Title == "老条款") || (c.ID == next) != (c.BP == 8000) {
			t.Errorf("%+v", c)
		}
	}
	_, err = r.UpdateTemplate(r.ctx(), tpl, TemplateInput{Terms: Terms{Name: "新条款", Kind: KindPercent, PayBP: 8000, Stack: "any", ValidDays: 5}, Active: &off})
	must(t, err)
	_, err = r.Give(r.ctx(), m, tpl, 1, "补偿一张")
	r.refused(err, ErrTemplate)
	if tpl2 := r.template("新条款"); tpl2 == tpl { // its name is free again
		t.Error("same template")
	}
	_, err = r.CreateTemplate(r.ctx(), TemplateInput{Terms: Terms{Name: "新条款", Kind: KindAmount, OffFen: 1, Stack: "any", ValidDays: 5}})
	r.refused(err, ErrName)
}

func TestBadTemplates(t *testing.T) {
	r := newRig(t)
	ok := Terms{Name: "券", Kind: KindAmount, OffFen: 1000, Stack: "any", ValidDays: 30}
	for field, change := range map[string]func(*TemplateInput){
		"name":          func(in *TemplateInput) { in.Name = " " },
		"kind":          func(in *TemplateInput) { in.Kind = "gift" },
		"offFen":        func(in *TemplateInput) { in.OffFen = 0 },
		"thresholdFen":  func(in *TemplateInput) { in.ThresholdFen = 999 },
		"payBp":         func(in *TemplateInput) { in.Kind, in.PayBP = KindPercent, 0 },
		"serviceIds":    func(in *TemplateInput) { in.Kind = KindService },
		"serviceIds[0]": func(in *TemplateInput) { in.ServiceIDs = []int64{404} },
		"storeIds[1]":   func(in *TemplateInput) { in.StoreIDs = []int64{r.store, 404} },
		"classIds[0]":   func(in *TemplateInput) { in.ClassIDs = []int64{404} },
		"kinds[0]":      func(in *TemplateInput) { in.Kinds = []string{"tea"} },
		"stack":         func(in *TemplateInput) { in.Stack = "" },
		"validDays":     func(in *TemplateInput) { in.ValidDays = 0 },
		"validTo":       func(in *TemplateInput) { in.ValidDays, in.ValidFrom, in.ValidTo = 0, "2026-11-20", "2026-11-19" },
		"validFrom":     func(in *TemplateInput) { in.ValidDays, in.ValidFrom, in.ValidTo = 0, "2026-13-01", "2026-12-19" },
		"perMember":     func(in *TemplateInput) { in.PerMember = -1 },
	} {
		in := TemplateInput{Terms: ok}
		change(&in)
		_, err := r.CreateTemplate(r.ctx(), in)
		if f := fault.As(err); f == nil || !f.Is(fault.ErrInvalid) || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Field == field }) {
			t.Errorf("%s: %+v", field, f)
		}
	}
	for _, bp := range []TemplateInput{{Terms: Terms{Name: "零折", Kind: KindPercent, PayBP: 0, Stack: "any", ValidDays: 1}}, {Terms: Terms{Name: "百折", Kind: KindPercent, PayBP: 100000, Stack: "any", ValidDays: 1}}} {
		_, err := r.CreateTemplate(r.ctx(), bp)
		r.refused(err, fault.ErrInvalid)
	}
	past := TemplateInput{Terms: Terms{Name: "过去", Kind: KindAmount, OffFen: 100, Stack: "any", ValidFrom: "2026-01-01", ValidTo: "2026-11-17"}}
	_, err := r.CreateTemplate(r.ctx(), past)
	r.refused(err, fault.ErrInvalid)
}

// What ends with a day is usable until its midnight in the store's zone, and warned of before, once.
func TestWarnAndExpire(t *testing.T) {
	r := newRig(t)
	r.set(setting.CouponWarnDays, 3)
	tpl := r.template("到十一月底", func(in *TemplateInput) { in.ValidDays, in.ValidFrom, in.ValidTo = 0, "2026-11-01", "2026-11-30" })
	long := r.template("一年", func(in *TemplateInput) { in.ValidDays = 365 })
	people := []int64{r.member(), r.member()}
	var ids []int64
	for _, m := range people {
		for range 3 {
			ids = append(ids, r.issue(tpl, m))
		}
		r.issue(long, m)
	}
	at := func(s string) {
		when, err := time.ParseInLocation("2006-01-02 15:04:05", s, bizday.Location(bizday.DefaultZone))
		must(t, err)
		r.clk.Set(when)
	}
	warned := func() int64 {
		return r.count(`SELECT COUNT(*) FROM notify_messages WHERE event = ?`, notify.CouponExpiring)
	}
	at("2026-11-27 23:00:00")
	r.run("coupon.warn")
	if warned() != 0 {
		t.Error("warned too early")
	}
	at("2026-11-28 09:00:00")
	r.run("coupon.warn")
	r.run("coupon.warn")
	if n := warned(); n != 2 {
		t.Errorf("%d messages, want one each", n)
	}
	at("2026-11-30 23:59:59")
	r.run("coupon.expire")
	r.is(ids[0], Available)
	must(t, r.hold(people[0], 1, ids[0]))
	at("2026-12-01 00:00:00")
	r.refused(r.hold(people[0], 2, ids[1]), ErrExpired)
	r.run("coupon.expire")
	r.is(ids[1], Expired)
	r.is(ids[0], Held) // its order is still open
	must(t, r.use(1))
	r.is(ids[0], Used)
	_, err := r.Give(r.ctx(), people[0], tpl, 1, "太晚了")
	r.refused(err, ErrOver)
	if n := r.count(`SELECT COUNT(*) FROM coupon_coupons WHERE state = 'available'`); n != 2 {
		t.Errorf("%d left", n)
	}
	r.clean()
}

func TestVoid(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("券")
	a, b := r.issue(tpl, m), r.issue(tpl, m)
	must(t, r.hold(m, 1, b))
	_, err := r.VoidCoupon(r.ctx(), b, "发错了")
	r.refused(err, ErrHeld)
	_, err = r.VoidCoupon(r.ctx(), a, "")
	r.refused(err, ErrReason)
	v, err := r.VoidCoupon(r.ctx(), a, "发错了")
	must(t, err)
	if v.State != Void {
		t.Errorf("%+v", v)
	}
	r.refused(r.hold(m, 2, a), ErrVoid)
	_, err = r.VoidCoupon(r.ctx(), a, "发错了")
	r.refused(err, ErrVoid)
	if n := r.count(`SELECT COUNT(*) FROM audit_log WHERE action = 'coupon.void'`); n != 1 {
		t.Errorf("%d in the trail", n)
	}
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error { return r.EraseTx(ctx, tx, m) }))
	r.clean()
}

// An issue to a filter gives everybody the same, goes on where it was stopped, and gives nobody twice.
func TestBulkIssueGoesOn(t *testing.T) {
	r := newRig(t)
	tpl := r.template("群发", func(in *TemplateInput) { in.PerMember = 2 })
	for i := range int64(2*chunk + 30) {
		r.found = append(r.found, 1000+i)
	}
	r.issue(tpl, 1003)
	ctx := r.ctx()
	var id int64
	for range 2 { // the same command twice
		i, err := r.IssueBulk(ctx, Bulk{TemplateID: tpl, Filter: &Filter{BirthMonth: 5}, Each: 2, Note: "五月生日"})
		must(t, err)
		id = i.ID
	}
	i, err := issueByID(t.Context(), r.db, id, "")
	must(t, err)
	must(t, r.issueChunk(t.Context(), i)) // then it is killed
	if err := r.issueChunk(t.Context(), i); err == nil {
		t.Error("the same chunk twice")
	}
	must(t, r.Queue.Drain(t.Context()))
	v, err := r.IssueByID(t.Context(), id)
	must(t, err)
	if v.State != "done" || v.Found != 430 || v.Issued != 859 || v.Skipped != 0 {
		t.Errorf("%+v", v)
	}
	if n := r.count(`SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM coupon_coupons GROUP BY member_id) x`); n != 2 {
		t.Errorf("somebody has %d", n)
	}
	again, err := r.IssueBulk(r.ctx(), Bulk{TemplateID: tpl, Filter: &Filter{}})
	must(t, err)
	must(t, r.Queue.Drain(t.Context()))
	if again, err = r.IssueByID(t.Context(), again.ID); err != nil || again.Issued != 0 || again.Skipped != 430 {
		t.Errorf("%+v %v", again, err)
	}
	m := r.member()
	one, err := r.IssueBulk(r.ctx(), Bulk{TemplateID: tpl, MemberIDs: []int64{m, m}})
	must(t, err)
	if one.Issued != 1 || one.State != "done" {
		t.Errorf("%+v", one)
	}
	for field, b := range map[string]Bulk{
		"memberIds":         {TemplateID: tpl},
		"memberIds[0]":      {TemplateID: tpl, MemberIDs: []int64{5}},
		"filter.joinedFrom": {TemplateID: tpl, Filter: &Filter{JoinedFrom: "2026-02-30"}},
		"filter.joinedTo":   {TemplateID: tpl, Filter: &Filter{JoinedFrom: "2026-02-03", JoinedTo: "2026-02-01"}},
		"each":              {TemplateID: tpl, Filter: &Filter{}, Each: 21},
		"templateId":        {TemplateID: 404, Filter: &Filter{}},
	} {
		_, err := r.IssueBulk(r.ctx(), b)
		if f := fault.As(err); f == nil || len(f.Fields) == 0 || f.Fields[0].Field != field {
			t.Errorf("%s: %+v", field, f)
		}
	}
	r.clean()
}
