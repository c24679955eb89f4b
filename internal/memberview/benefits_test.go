package memberview

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
)

type mute struct{}

func (mute) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (mute) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

type counter struct {
	*pass.Service
	catalog *catalog.Service
}

func (c counter) TopupPlans(ctx context.Context, storeID int64) ([]catalog.TopupPlan, error) {
	return c.catalog.TopupPlans(ctx, storeID)
}

// TestSavingsAreWhatWasPaid follows one member: two washes from stored value, a pass of ten for 400.00, three washes with it.
func TestSavingsAreWhatWasPaid(t *testing.T) {
	f := shopfloor.New(t)
	quiet := slog.New(slog.DiscardHandler)
	q := jobs.New(f.DB, quiet)
	messages := notify.New(f.DB, q, mute{}, nil, f.Settings, notify.Options{})
	sales := sale.New(f.DB, quiet, f.Members, payment.New(f.DB, q, nil, quiet), f.Shops, f.Settings)
	passes := pass.New(pass.Deps{DB: f.DB, Log: quiet, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, Sales: sales})
	f.Checkout.Bring(checkout.Assets{Passes: passes})
	shopfloor.Must(t, f.Settings.Update(f.Ctx(), []setting.Value{{Key: setting.RequireCode, Value: false}}))
	s := New(f.DB, f.Members, f.Tiers, f.Shops, f.Settings).Offer(counter{passes, f.Catalog})
	me, other := f.Member("王小明", "13800138000", "浙A12345"), f.Member("李小红", "13800138001", "浙A12346")
	c := apitest.New(t, s.Routes)
	owner, desk := c.As(f.Owner(me)), c.As(apitest.Staff(perm.Keys()...))

	savings := func() (v Savings) {
		t.Helper()
		owner.OK(http.MethodGet, "/api/owner/savings", nil, &v)
		return v
	}
	if v := savings(); v.Life.Visits != 0 || v.Life.PaidFen != 0 || v.Next.Kind != NextBook {
		t.Errorf("%+v", v)
	}
	f.Topup(f.West, me, 50000, "cash") // and 8000 of bonus
	for range 2 {
		f.Settle(f.West, me, "浙A12345", []int64{f.Wash}, checkout.Tender{Kind: checkout.TenderBalance, AmountFen: 4500})
	}
	gone := f.Settle(f.West, me, "浙A12345", []int64{f.Wax}, checkout.Tender{Kind: checkout.TenderBalance, AmountFen: 20000})
	f.Reverse(gone.ID)
	v := savings()
	if v.Year != v.Life || v.Life.Visits != 2 || v.Life.ListFen != 9000 || v.Life.PaidFen != 7758 || v.Life.SavedFen != 1242 || v.Life.Washes != 2 || v.Life.PerWashFen != 3879 {
		t.Errorf("%+v", v)
	}
	f.Clock.Advance(300 * 24 * time.Hour)
	p, err := passes.CreatePlan(f.Ctx(), pass.PlanInput{Offer: pass.Offer{Name: "十次卡", Kind: pass.KindTimes, PriceFen: 40000, ValidDays: 100,
		Lines: []pass.PlanLine{{ServiceIDs: []int64{f.Wash}, Times: 10, ListFen: 4500}}}, OnSale: true})
	shopfloor.Must(t, err)
	x, _, err := sales.Begin(f.Ctx(), sale.Buy{Kind: pass.SalePass, SubjectID: p.ID, MemberID: me, StoreID: f.West, Qty: 1}, sale.Pay{Method: sale.MethodCash})
	shopfloor.Must(t, err)
	if x.State != sale.StatePaid {
		t.Fatal(x.State)
	}
	use := func() {
		t.Helper()
		f.Clock.Advance(time.Second)
		r := checkout.Request{StoreID: f.West, MemberID: me, Plate: "浙A12345", VehicleClassID: f.Car, Items: []checkout.Item{{Kind: "service", ID: f.Wash, Qty: 1}}}
		quote, err := f.Checkout.Quote(f.Ctx(), r)
		shopfloor.Must(t, err)
		if quote.TotalFen != 0 {
			t.Fatalf("the pass does not pay: %+v", quote)
		}
		_, err = f.Checkout.Settle(f.Ctx(), r, quote.QuoteHash, nil)
		shopfloor.Must(t, err)
	}
	for range 3 {
		use()
	}
	if v = savings(); v.Life.Visits != 5 || v.Life.ListFen != 22500 || v.Life.PaidFen != 7758+12000 || v.UsesLeft != 7 || v.Year != v.Life {
		t.Errorf("%+v", v)
	}
	f.Clock.Advance(85 * 24 * time.Hour) // the first two are more than a year ago; the pass ends in two weeks
	if v = savings(); v.Year.Visits != 3 || v.Year.ListFen != 13500 || v.Year.PaidFen != 12000 || v.Life.Visits != 5 || v.Next.Kind != NextUsePass {
		t.Errorf("%+v", v)
	}
	var h Home
	owner.OK(http.MethodGet, "/api/owner/home", nil, &h)
	if h.UsesLeft != 7 || h.Coupons != 0 {
		t.Errorf("%+v", h.Benefits)
	}
	var d DeskMember
	desk.OK(http.MethodGet, fmt.Sprintf("/api/staff/members/%d?storeId=%d", me, f.West), nil, &d)
	var det Detail
	desk.OK(http.MethodGet, fmt.Sprintf("/api/console/members/%d", me), nil, &det)
	if d.UsesLeft != 7 || det.UsesLeft != 7 {
		t.Errorf("%+v %+v", d.Benefits, det.Benefits)
	}
	// The records tell of money, once each, and of nothing else.
	var page httpapi.Page[Record]
	owner.OK(http.MethodGet, "/api/owner/records?limit=50", nil, &page)
	kinds := map[string]int{}
	var paid money.Fen
	for _, r := range page.Items {
		kinds[r.Kind]++
		if r.Kind == "sale" {
			paid = r.PaidFen
		}
	}
	if len(page.Items) != 9 || kinds["topup"] != 1 || kinds["consume"] != 3 || kinds["walk_in_tender"] != 3 || kinds["reversal"] != 1 || kinds["sale"] != 1 || paid != 40000 {
		t.Errorf("%v, %d", kinds, paid)
	}
	var theirs Savings
	c.As(f.Owner(other)).OK(http.MethodGet, "/api/owner/savings", nil, &theirs)
	if theirs.Life.Visits != 0 {
		t.Errorf("%+v", theirs)
	}
}
