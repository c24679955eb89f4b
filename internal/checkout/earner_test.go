package checkout_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/setting"
)

// forFriend is a bill whose points go to somebody else.
func (c *club) forFriend(m, earner int64) checkout.Request {
	r := c.asks(m)
	r.EarnerID = earner
	return r
}

// B09, N11: a walk-in's or another member's bill earns for the account that was named, and only that; a reversal takes the points back, once.
func TestB09AFriendEarnsThePoints(t *testing.T) {
	c := openClub(t)
	m, friend := c.member(true), c.member(false)
	if _, err := c.try(c.forFriend(0, friend)); !errors.Is(err, checkout.ErrEarner) {
		t.Fatalf("off until the shop says so: %v", err)
	}
	c.set(setting.PointsForOthers, true)
	if q := c.quote(c.forFriend(0, friend)); !q.ForOthers || q.EarnerName == "" {
		t.Errorf("%+v", q)
	}
	walk := c.settles(c.forFriend(0, friend))
	if walk.PointsEarned != 45 || walk.EarnerID != friend {
		t.Fatalf("%+v", walk)
	}
	c.holds(friend, 0, 45, 0)
	theirs := c.settles(c.forFriend(m, friend))
	c.holds(friend, 0, 90, 0)
	c.holds(m, 0, 0, 0)
	own := c.settles(c.forFriend(m, m))
	if own.EarnerID != 0 || own.PointsEarned != 45 {
		t.Errorf("%+v", own)
	}
	c.holds(m, 0, 45, 0)
	list, err := ledger.Movements(t.Context(), c.DB, friend, ledger.Points, 0, 9)
	shopfloor.Must(t, err)
	if len(list) != 2 || list[0].Title != "朋友消费 "+theirs.Title {
		t.Errorf("%+v", list)
	}
	c.exact()
	c.reverse(walk.ID)
	c.holds(friend, 0, 45, 0)
	c.set(setting.PointsMaxPayBP, 10000)
	c.set(setting.PointsYuanRate, 1)
	c.settles(c.asks(friend), tender(checkout.TenderPoints, 4500))
	c.reverse(theirs.ID)
	c.holds(friend, 0, 0, 45) // spent meanwhile: owed
	c.holds(m, 0, 45, 0)
	c.exact()
}

// An order that waits for WeChat earns for the friend when it is paid at last; a friend who is gone by then gets nothing, and nothing fails.
func TestAFriendEarnsWhenThePaymentComes(t *testing.T) {
	c := openClub(t)
	c.set(setting.PointsForOthers, true)
	friend := c.member(false)
	o := c.scans(c.settles(c.forFriend(0, friend), tender(checkout.TenderNative, 4500)))
	if o.Status != checkout.Settled || o.PointsEarned != 45 {
		t.Fatalf("%+v", o)
	}
	c.holds(friend, 0, 45, 0)
	waits := c.settles(c.forFriend(0, friend), tender(checkout.TenderNative, 4500))
	shopfloor.Must(t, c.Members.Suspend(c.key(), friend, "违反章程"))
	o = c.scans(waits)
	if o.Status != checkout.Settled || o.PointsEarned != 0 {
		t.Errorf("%+v", o)
	}
	c.holds(friend, 0, 45, 0)
	if _, err := c.try(c.forFriend(0, friend)); !errors.Is(err, checkout.ErrEarner) {
		t.Errorf("suspended: %v", err)
	}
	c.exact()
}

// The cap of a day holds however many tills name the same account at once.
func TestOneAccountEarnsSoOftenFromOthers(t *testing.T) {
	c := openClub(t)
	c.set(setting.PointsForOthers, true)
	c.set(setting.PointsOthersDaily, 3)
	friend := c.member(false)
	q := c.quote(c.forFriend(0, friend))
	var wg sync.WaitGroup
	var won, refused atomic.Int64
	for range 12 {
		ctx := c.key()
		wg.Go(func() {
			switch _, err := c.till.Settle(ctx, c.forFriend(0, friend), q.QuoteHash, []checkout.Tender{tender(checkout.TenderCash, q.TotalFen)}); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, checkout.ErrEarner):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 3 || refused.Load() != 9 {
		t.Errorf("%d won, %d refused", won.Load(), refused.Load())
	}
	c.holds(friend, 0, 135, 0)
	c.Clock.Advance(24 * time.Hour)
	c.settles(c.forFriend(0, friend))
	c.holds(friend, 0, 180, 0)
	c.exact()
}

func TestTheReceiptNamesWhoEarned(t *testing.T) {
	c := openClub(t)
	c.set(setting.PointsForOthers, true)
	m, friend := c.member(true), c.member(false)
	o := c.settles(c.forFriend(m, friend))
	api := apitest.New(t, c.till.Routes)
	var seen checkout.Receipt
	at := fmt.Sprintf("/api/owner/orders/%d", o.ID)
	api.As(c.Owner(m)).OK(http.MethodGet, at, nil, &seen)
	if seen.EarnerName != "会*" || seen.EarnerID != 0 || seen.PointsEarned != 45 {
		t.Errorf("%+v", seen)
	}
	api.As(c.Owner(friend)).Fault(fault.ErrNotFound, http.MethodGet, at, nil)
	api.As(apitest.Staff(perm.Keys()...)).OK(http.MethodGet, fmt.Sprintf("/api/staff/orders/%d", o.ID), nil, &seen)
	if seen.EarnerID != friend {
		t.Errorf("%+v", seen)
	}
}
