package coupon

import (
	"context"
	"errors"
	"flag"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

var stampede = flag.Bool("stampede", false, "1,000 coupons for 5,000 owners instead of 60 for 300")

func (r *rig) page(t testing.TB, tpl, stock, each int64) ClaimPage {
	t.Helper()
	p, err := r.SaveClaim(r.ctx(), 0, ClaimInput{TemplateID: tpl, Title: "双十一领券", Stock: stock, PerMember: each, From: r.clk.Now(), Until: r.clk.Now().Add(48 * time.Hour)})
	must(t, err)
	return p
}

// Many more owners than coupons want one at the same moment: exactly the stock is given, nobody has two, the others hear that it is gone.
func TestClaimStampede(t *testing.T) {
	stock, people := int64(60), 300
	if *stampede {
		stock, people = 1000, 5000
	}
	r := newRig(t)
	page := r.page(t, r.template("抢券"), stock, 1)
	members := make([]int64, people)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < people; i += 8 {
				members[i] = r.member()
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	errs := make([]error, people)
	began := time.Now()
	for i, m := range members {
		ctx := r.owner(m)
		wg.Go(func() { _, errs[i] = r.Claim(ctx, m, page.Code) })
	}
	wg.Wait()
	t.Logf("%d owners, %d coupons: %s", people, stock, time.Since(began))
	won := int64(0)
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrGone) {
			t.Fatal(err)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM coupon_coupons`); won != stock || n != stock {
		t.Errorf("%d won, %d coupons, stock %d", won, n, stock)
	}
	if n := r.count(`SELECT COUNT(DISTINCT member_id) FROM coupon_coupons`); n != stock {
		t.Errorf("%d different owners", n)
	}
	if n := r.count(`SELECT taken FROM coupon_claims`); n != stock {
		t.Errorf("the page says %d", n)
	}
	r.clean()
}

// One owner who taps many times has what one may have.
func TestClaimTaps(t *testing.T) {
	r := newRig(t)
	page := r.page(t, r.template("每人两张"), 50, 2)
	m := r.member()
	errs := make([]error, 12)
	var wg sync.WaitGroup
	for i := range errs {
		ctx := r.owner(m)
		wg.Go(func() { _, errs[i] = r.Claim(ctx, m, page.Code) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrClaimed) {
			t.Error(err)
		}
	}
	if n := r.count(`SELECT taken FROM coupon_claims`); won != 2 || n != 2 {
		t.Errorf("won %d, taken %d", won, n)
	}
	r.clean()
}

func TestClaimPage(t *testing.T) {
	r := newRig(t)
	m := r.member()
	tpl := r.template("领券")
	p, err := r.SaveClaim(r.ctx(), 0, ClaimInput{TemplateID: tpl, Code: "summer26", Title: "夏日", Stock: 1, From: r.clk.Now().Add(time.Hour), Until: r.clk.Now().Add(2 * time.Hour)})
	must(t, err)
	if p.Code != "SUMMER26" || !strings.HasSuffix(p.URL, "?code=SUMMER26") {
		t.Errorf("%+v", p)
	}
	state := func(want string) {
		t.Helper()
		o, err := r.ClaimPageOf(t.Context(), m, "summer26")
		must(t, err)
		if o.State != want {
			t.Errorf("state %s, want %s", o.State, want)
		}
	}
	state("soon")
	_, err = r.Claim(r.owner(m), m, "SUMMER26")
	r.refused(err, ErrNotOpen)
	r.clk.Advance(time.Hour)
	state("open")
	ctx := r.owner(m)
	first, err := r.Claim(ctx, m, " summer 26 ")
	must(t, err)
	again, err := r.Claim(ctx, m, " summer 26 ") // the same command: stock is gone, the answer is the same
	must(t, err)
	if first.ID != again.ID {
		t.Errorf("%d and %d", first.ID, again.ID)
	}
	state("mine")
	_, err = r.Claim(r.owner(m), m, "SUMMER26")
	r.refused(err, ErrClaimed)
	other := r.member()
	_, err = r.Claim(r.owner(other), other, "SUMMER26")
	r.refused(err, ErrGone)
	if o, err := r.ClaimPageOf(t.Context(), other, "SUMMER26"); err != nil || o.State != "gone" || o.Left != 0 {
		t.Errorf("%+v %v", o, err)
	}
	_, err = r.Claim(r.owner(m), m, "NOSUCHCODE")
	r.refused(err, ErrCode)
	in := ClaimInput{TemplateID: tpl, Title: "夏日", Stock: 0, From: p.From, Until: p.Until}
	_, err = r.SaveClaim(r.ctx(), p.ID, in)
	r.refused(err, fault.ErrInvalid)
	in.Stock = 3
	must2(t)(r.SaveClaim(r.ctx(), p.ID, in))
	_, err = r.Claim(r.owner(other), other, "SUMMER26")
	must(t, err)
	in.Stock = 1
	_, err = r.SaveClaim(r.ctx(), p.ID, in)
	r.refused(err, fault.ErrInvalid)
	r.clk.Advance(time.Hour)
	third := r.member()
	_, err = r.Claim(r.owner(third), third, "SUMMER26")
	r.refused(err, ErrEnded)
	_, err = r.SaveClaim(r.ctx(), 0, ClaimInput{TemplateID: tpl, Code: "SUMMER26", Title: "又一个", Stock: 1, From: r.clk.Now(), Until: r.clk.Now().Add(time.Hour)})
	r.refused(err, ErrCodeTaken)
	_, err = r.SaveClaim(r.ctx(), 0, ClaimInput{TemplateID: 404, Title: "又一个", Stock: 1, From: r.clk.Now(), Until: r.clk.Now().Add(time.Hour)})
	r.refused(err, ErrTemplate)
	_, err = r.SaveClaim(r.ctx(), 0, ClaimInput{TemplateID: tpl, Title: "又一个", Stock: 1, From: r.clk.Now(), Until: r.clk.Now()})
	r.refused(err, fault.ErrInvalid)
	r.clean()
}

func must2(t testing.TB) func(ClaimPage, error) {
	return func(_ ClaimPage, err error) { t.Helper(); must(t, err) }
}

// A gift reaches one friend, once; meanwhile nobody uses it, and untaken it comes back.
func TestGift(t *testing.T) {
	r := newRig(t)
	from, friend, late := r.member(), r.member(), r.member()
	tpl := r.template("转赠券")
	c := r.issue(tpl, from)
	ctx := r.owner(from)
	link, err := r.Gift(ctx, from, c)
	must(t, err)
	if same, err := r.Gift(ctx, from, c); err != nil || same != link {
		t.Errorf("%+v %v", same, err)
	}
	_, err = r.Gift(r.owner(from), from, c)
	r.refused(err, ErrHeld)
	_, err = r.Gift(r.owner(friend), friend, c)
	r.refused(err, fault.ErrNotFound)
	r.refused(r.hold(from, 1, c), ErrHeld)
	_, err = r.Accept(r.owner(from), from, link.Code)
	r.refused(err, ErrGiftOwn)
	for _, bad := range []string{link.Code + "x", link.Code[:len(link.Code)-3] + "abc", strings.Split(link.Code, ".")[0], "zzz.abc", "?"} {
		_, err = r.Accept(r.owner(friend), friend, bad)
		r.refused(err, ErrCode)
	}
	v, err := r.GiftOf(t.Context(), friend, link.Code)
	must(t, err)
	if v.State != "open" || v.From != "林**" || v.Mine {
		t.Errorf("%+v", v)
	}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, m := range []int64{friend, late} {
		ctx := r.owner(m)
		wg.Go(func() { _, errs[i] = r.Accept(ctx, m, link.Code) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), ErrGiftOver) {
		t.Fatalf("%v", errs)
	}
	winner := friend
	if errs[1] == nil {
		winner = late
	}
	must(t, r.hold(winner, 5, c))
	r.refused(r.hold(from, 6, c), ErrForeign)
	must(t, r.release(5))
	_, err = r.Gift(r.owner(winner), winner, c)
	r.refused(err, ErrGiftNo) // once
	_, err = r.TakeBack(r.owner(from), from, c)
	r.refused(err, ErrGiftOver)

	c2 := r.issue(tpl, from)
	link, err = r.Gift(r.owner(from), from, c2)
	must(t, err)
	_, err = r.TakeBack(r.owner(from), from, c2)
	must(t, err)
	r.is(c2, Available)
	_, err = r.Accept(r.owner(friend), friend, link.Code)
	r.refused(err, ErrGiftOver)

	link, err = r.Gift(r.owner(from), from, c2)
	must(t, err)
	r.clk.Advance(7 * 24 * time.Hour)
	_, err = r.Accept(r.owner(friend), friend, link.Code)
	r.refused(err, ErrGiftOver)
	r.run("coupon.gifts")
	r.is(c2, Available)

	c3 := r.issue(r.template("不可转赠", func(in *TemplateInput) { in.Giftable = false }), from)
	_, err = r.Gift(r.owner(from), from, c3)
	r.refused(err, ErrGiftNo)
	link, err = r.Gift(r.owner(from), from, c2)
	must(t, err)
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error { return r.EraseTx(ctx, tx, from) }))
	_, err = r.Accept(r.owner(friend), friend, link.Code)
	r.refused(err, ErrGiftOver)
	r.is(c2, Void)
	r.clean()
}
