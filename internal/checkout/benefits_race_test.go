package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
)

// rush lets n tills settle the same quote at the same moment and says how many did. Whoever is refused must be told in words.
func (c *club) rush(n int, r checkout.Request, hash string, tenders ...checkout.Tender) (won int64, orders []checkout.Order) {
	c.t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var count atomic.Int64
	begin := make(chan struct{})
	for range n {
		ctx := c.key()
		wg.Go(func() {
			<-begin
			o, err := c.till.Settle(ctx, r, hash, tenders)
			if err == nil {
				count.Add(1)
				mu.Lock()
				orders = append(orders, o)
				mu.Unlock()
				return
			}
			if f := fault.As(err); f.Kind == fault.Internal || f.Message == "" {
				c.t.Errorf("refused by %v", err)
			}
		})
	}
	close(begin)
	wg.Wait()
	return count.Load(), orders
}

// N09: as many washes as the pass has, whoever is quicker: the others hear of the new price, and every use is counted once.
func TestN09ManyTillsOnePass(t *testing.T) {
	c := openClub(t)
	m := c.member(false)
	c.pass(m, 4)
	r := c.asks(m)
	for left := int64(4); left > 0; left-- { // the quote says how many are left, so one till of each round is served
		q := c.quote(r)
		if won, _ := c.rush(6, r, q.QuoteHash); won != 1 {
			t.Errorf("%d tills used the %d. use", won, left)
		}
	}
	if q := c.quote(r); q.TotalFen != 4500 {
		t.Errorf("the pass is not used up: %+v", q)
	}
	c.holds(m, 0, 0, 0)
	if c.account(ledger.Passes) != 0 || c.account(ledger.Revenue) != 12000 {
		t.Errorf("passes %d, revenue %d", c.account(ledger.Passes), c.account(ledger.Revenue))
	}
	c.exact()
}

// N15: one coupon, many tills: one uses it.
func TestN15ManyTillsOneCoupon(t *testing.T) {
	c := openClub(t)
	m := c.member(true)
	id := c.coupon(m, 1000)
	r := c.asks(m)
	q := c.quote(r)
	if won, _ := c.rush(8, r, q.QuoteHash, tender(checkout.TenderBalance, 3500)); won != 1 {
		t.Errorf("%d tills used one coupon", won)
	}
	c.couponIs(id, coupon.Used)
	b, err := ledger.BalanceOf(t.Context(), c.DB, m)
	shopfloor.Must(t, err)
	if b.Principal+b.Bonus != 58000-3500 {
		t.Errorf("holds %d", b.Principal+b.Bonus)
	}
	c.exact()
}

// Points that pay three bills pay three, however many tills ask.
func TestManyTillsOnePointsBalance(t *testing.T) {
	c := openClub(t)
	c.set(setting.PointsMaxPayBP, 10000)
	c.set(setting.PointsEarnBP, 0)
	m := c.member(false)
	c.give(m, 3*2500+2499)
	r := c.asks(m, checkout.Item{Kind: catalog.KindGood, ID: c.mat, Qty: 1})
	q := c.quote(r)
	won, orders := c.rush(10, r, q.QuoteHash, tender(checkout.TenderPoints, 2500))
	if won != 3 {
		t.Errorf("%d tills, want 3", won)
	}
	c.holds(m, 0, 2499, 0)
	if c.account(ledger.PointsPaid) != -7500 {
		t.Errorf("points paid %d", c.account(ledger.PointsPaid))
	}
	c.exact()
	var wg sync.WaitGroup
	for _, o := range orders { // each is reversed by two at once
		for range 2 {
			ctx := c.key()
			wg.Go(func() {
				if _, err := c.till.Reverse(ctx, o.ID, "客户要求撤销"); err != nil && !errors.Is(err, checkout.ErrState) && !errors.Is(err, ledger.ErrReversed) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	c.holds(m, 0, 9999, 0)
	c.exact()
}

// N11 at once: purchases and their reversals from many tills leave the points that the remaining purchases earned.
func TestN11ManyTillsEarnAndReverse(t *testing.T) {
	c := openClub(t)
	m := c.member(false)
	r := c.asks(m)
	won, orders := c.rush(8, r, c.quote(r).QuoteHash, tender(checkout.TenderCash, 4500))
	if won != 8 {
		t.Fatalf("%d of 8", won)
	}
	c.holds(m, 0, 8*45, 0)
	var wg sync.WaitGroup
	for _, o := range orders[:5] {
		ctx := c.key()
		wg.Go(func() {
			_, err := c.till.Reverse(ctx, o.ID, "客户要求撤销")
			shopfloor.Must(t, err)
		})
	}
	more := c.asks(m)
	won, _ = c.rush(3, more, c.quote(more).QuoteHash, tender(checkout.TenderCash, 4500))
	wg.Wait()
	if won != 3 {
		t.Errorf("%d of 3", won)
	}
	c.holds(m, 0, 6*45, 0)
	c.exact()
}

// A member who has nothing is settled together with others, at no more round trips than before.
func TestPlainMembersAreStillCombined(t *testing.T) {
	c := openClub(t)
	var requests []checkout.Request
	var hashes []string
	for range 12 {
		r := c.asks(c.member(true))
		requests, hashes = append(requests, r), append(hashes, c.quote(r).QuoteHash)
		c.give(r.MemberID, 1) // the accounts of points exist
	}
	before := c.till.TillStats()
	var wg sync.WaitGroup
	for i, r := range requests {
		ctx := c.key()
		wg.Go(func() {
			_, err := c.till.Settle(ctx, r, hashes[i], balance(4500))
			shopfloor.Must(t, err)
		})
	}
	wg.Wait()
	if s := c.till.TillStats(); s.Combined-before.Combined != 12 || s.Alone != 0 {
		t.Errorf("%+v, before %+v", s, before)
	}
	c.exact()
}

// family makes a family of the payer with one driver and rules.
func (c *club) family(payer, driver int64, p group.Place) group.Group {
	c.t.Helper()
	ctx := func(m int64) context.Context {
		return idem.With(actor.With(c.t.Context(), c.Owner(m)), idem.Key{Actor: fmt.Sprint("owner:", m), Key: fmt.Sprintf("family-%d", c.n.Add(1)), Hash: "x"})
	}
	g, err := c.groups.Create(ctx(payer), group.NewGroup{Kind: group.Family, Name: "我家"})
	shopfloor.Must(c.t, err)
	in, err := c.groups.Invite(ctx(payer), g.ID, p)
	shopfloor.Must(c.t, err)
	_, err = c.groups.Join(ctx(driver), in.Code)
	shopfloor.Must(c.t, err)
	return g
}

// A family's payer pays for a driver up to the month's cap, however many tills ask; the receipt shows nothing of the payer's wallet, and a reversal
// gives cap and money back.
func TestFamilyPaysUpToItsCap(t *testing.T) {
	c := openClub(t)
	payer, driver := c.member(true), c.member(true)
	g := c.family(payer, driver, group.Place{CardKind: group.CardDriver, Rules: group.Rules{CapPerMonthFen: 3 * 4500}})
	r := c.asks(driver)
	r.GroupID = g.ID
	q := c.quote(r)
	if len(q.Offers.Groups) != 1 || q.Suggestion[0] != (checkout.Tender{Kind: checkout.TenderGroup, AmountFen: 4500}) {
		t.Fatalf("%+v %+v", q.Offers, q.Suggestion)
	}
	for _, ts := range [][]checkout.Tender{{tender(checkout.TenderGroup, 2000), tender(checkout.TenderBalance, 2500)}, {tender(checkout.TenderGroup, 2000), tender(checkout.TenderNative, 2500)}} {
		if _, err := c.till.Settle(c.key(), r, q.QuoteHash, ts); !errors.Is(err, checkout.ErrGroup) {
			t.Errorf("%v: %v", ts, err)
		}
	}
	won, orders := c.rush(7, r, q.QuoteHash, tender(checkout.TenderGroup, 4500))
	if won != 3 {
		t.Errorf("%d orders, want 3", won)
	}
	wallet := func(m int64, want money.Fen) {
		t.Helper()
		b, err := ledger.BalanceOf(t.Context(), c.DB, m)
		shopfloor.Must(t, err)
		if money.Fen(b.Principal+b.Bonus) != want || b.Points != 0 {
			t.Errorf("member %d holds %d and %d points, want %d", m, b.Principal+b.Bonus, b.Points, want)
		}
	}
	wallet(payer, 58000-3*4500)
	wallet(driver, 58000)
	if orders[0].PayerID != payer || orders[0].BalanceAfter != 58000 {
		t.Errorf("%+v", orders[0])
	}
	c.exact()
	told := func(m int64, event string) (n int) {
		t.Helper()
		shopfloor.Must(t, c.DB.Get(t.Context(), &n, `SELECT COUNT(*) FROM notify_messages WHERE member_id = ? AND event = ?`, m, event))
		return n
	}
	if told(payer, "deduction") != 3 || told(driver, "deduction") != 3 {
		t.Errorf("payer told %d times, driver %d", told(payer, "deduction"), told(driver, "deduction"))
	}
	c.reverse(orders[0].ID)
	if told(payer, "reversal") != 1 {
		t.Errorf("payer told of %d reversals", told(payer, "reversal"))
	}
	wallet(payer, 58000-2*4500)
	if won, _ := c.rush(4, r, q.QuoteHash, tender(checkout.TenderGroup, 4500)); won != 1 {
		t.Errorf("%d orders after the reversal, want 1", won)
	}
	wallet(payer, 58000-3*4500)
	c.exact()
}
