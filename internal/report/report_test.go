package report

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

func TestDashboardAddsUp(t *testing.T) {
	f := shopfloor.New(t) // Wednesday 10:00 in Shanghai
	s := New(f.DB, f.Shops, f.Members, f.Settings, nil)
	c := apitest.New(t, s.Routes).As(apitest.Staff(perm.ReportRead))
	me := f.Member("王小明", "13800138000", "浙A12345")
	f.Topup(f.West, me, 50000, "cash")
	f.Topup(f.East, me, 10000, "alipay")
	f.Settle(f.West, me, "浙A12345", []int64{f.Wash}, checkout.Tender{Kind: "balance", AmountFen: 4500})
	f.Settle(f.West, 0, "浙A99999", []int64{f.Wax}, checkout.Tender{Kind: "cash", AmountFen: 5000}, checkout.Tender{Kind: "card", AmountFen: 15000, Reference: "r"})
	gone := f.Settle(f.East, 0, "浙A99999", []int64{f.Wash})
	f.Clock.Advance(3 * time.Hour)
	f.Settle(f.East, 0, "浙A88888", []int64{f.Wash})
	f.Reverse(gone.ID)
	f.Refund(0, me, 10000)
	f.Clock.Advance(24 * time.Hour)
	f.Settle(f.West, 0, "浙A99999", []int64{f.Wash})

	day := func(store int64, date string) (d Dashboard) {
		t.Helper()
		c.OK(http.MethodGet, fmt.Sprintf("/api/console/dashboard?storeId=%d&date=%s", store, date), nil, &d)
		if len(d.Hourly) != 24 || len(d.Days) != 14 || d.Days[13].Date != d.Date {
			t.Fatalf("%s: %d hours, %d days", date, len(d.Hourly), len(d.Days))
		}
		var hours money.Fen
		for i, h := range d.Hourly {
			if h.Hour != i {
				t.Errorf("hour %d is %d", i, h.Hour)
			}
			hours += h.SettledFen
		}
		if hours != d.Settlements.TotalFen || d.Days[13].SettledFen != d.Settlements.TotalFen || d.Days[13].TopupFen != d.Topups.AmountFen {
			t.Errorf("%s: hours %d, day %+v, settlements %+v", date, hours, d.Days[13], d.Settlements)
		}
		return d
	}
	sums := func(d Dashboard) map[string]Taking {
		m := map[string]Taking{}
		for _, x := range d.Takings {
			m[x.Kind] = x
		}
		return m
	}
	all := day(0, "2026-11-18")
	got := sums(all)
	want := map[string]Taking{
		"cash":          {"cash", "现金", 50000 + 5000 + 4500 + 4500, 4},
		"card":          {"card", "刷卡", 15000, 1},
		"alipay":        {"alipay", "支付宝", 10000, 1},
		"cash_refund":   {"cash_refund", "现金退回", -4500, 1},
		"alipay_refund": {"alipay_refund", "支付宝退回", -10000, 1},
	}
	// The refund takes the newest top-up first, which was paid by Alipay; the desk hands it out.
	for k, w := range want {
		if got[k] != w {
			t.Errorf("%s: %+v, want %+v", k, got[k], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("takings %+v", all.Takings)
	}
	if all.Topups != (Topups{2, 60000, 8000}) || all.Settlements != (Settlements{3, 4500 + 20000 + 4500, 4500}) || all.NewMembers != 1 || all.StoreName != "" {
		t.Errorf("%+v %+v %d", all.Topups, all.Settlements, all.NewMembers)
	}
	if all.Hourly[10].SettledFen != 24500 || all.Hourly[13].SettledFen != 4500 || all.Hourly[10].TopupFen != 60000 {
		t.Errorf("hours %+v %+v", all.Hourly[10], all.Hourly[13])
	}
	wallet := all.Liability
	if wallet.Members != 1 || wallet.PrincipalFen+wallet.BonusFen != 68000-4500-10000 {
		t.Errorf("liability %+v", wallet)
	}
	west := day(f.West, "2026-11-18")
	if west.StoreName != "西湖店" || west.Settlements.Count != 2 || west.Topups.Count != 1 || sums(west)["cash"].AmountFen != 55000 || len(sums(west)) != 2 {
		t.Errorf("west %+v %+v", west.Takings, west.Settlements)
	}
	today := day(0, "")
	if today.Date != "2026-11-19" || today.Settlements.Count != 1 || today.Days[12].SettledFen != 29000 || today.NewMembers != 0 {
		t.Errorf("today %+v %+v", today.Settlements, today.Days[12])
	}
	empty := day(f.West, "2026-01-31")
	if len(empty.Takings) != 0 || empty.Days[0].Date != "2026-01-18" {
		t.Errorf("%+v", empty)
	}
	for _, date := range []string{"2026-02-30", "yesterday", "20261118"} {
		c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/dashboard?date="+date, nil)
	}
	c.Fault(fault.ErrNotFound, http.MethodGet, "/api/console/dashboard?storeId=5", nil)
}

func TestDashboardShowsOnlyTheReadersStores(t *testing.T) {
	f := shopfloor.New(t)
	s := New(f.DB, f.Shops, f.Members, f.Settings, nil)
	f.Settle(f.West, 0, "浙A99999", []int64{f.Wash})
	f.Settle(f.East, 0, "浙A99999", []int64{f.Wax})
	who := apitest.Staff(perm.ReportRead)
	who.AllStores, who.Stores = false, []int64{f.West}
	ctx := actor.With(t.Context(), who)
	d, err := s.Dashboard(ctx, 0, "")
	if err != nil || d.Settlements.TotalFen != 4500 || d.Days[13].SettledFen != 4500 || len(d.Takings) != 1 || d.Takings[0].AmountFen != 4500 {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := s.Dashboard(ctx, f.East, ""); !errors.Is(err, fault.ErrStore) {
		t.Error(err)
	}
	who.Stores = nil
	if d, err = s.Dashboard(actor.With(t.Context(), who), 0, ""); err != nil || d.Settlements.Count != 0 || len(d.Hourly) != 24 {
		t.Errorf("nobody's stores: %+v %v", d, err)
	}
	apitest.New(t, s.Routes).As(apitest.Staff()).Fault(fault.ErrForbidden, http.MethodGet, "/api/console/dashboard", nil)
}

func TestDatesAreComplete(t *testing.T) {
	got := dates("2024-03-01", 3)
	if fmt.Sprint(got) != "[2024-02-28 2024-02-29 2024-03-01]" {
		t.Error(got)
	}
}
