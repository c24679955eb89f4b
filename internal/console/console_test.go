package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/memberview"
	"github.com/liangche/liangche/internal/perm"
)

func TestOrderListFiltersSortsAndPages(t *testing.T) {
	f := shopfloor.New(t)
	base := apitest.New(t, New(f.DB, f.Members, f.Shops).Routes)
	c := base.As(apitest.Staff(perm.CheckoutRead, perm.PaymentRead))
	me := f.Member("王小明", "13800138000", "浙A12345")
	f.Topup(f.West, me, 50000, "cash")
	mine := f.Settle(f.West, me, "浙A12345", []int64{f.Wash}, checkout.Tender{Kind: "balance", AmountFen: 4500})
	wax := f.Settle(f.East, 0, "沪B77777", []int64{f.Wax})
	gone := f.Settle(f.West, 0, "沪B77777", []int64{f.Wash})
	for range 3 {
		f.Settle(f.West, 0, "浙A99999", []int64{f.Wash})
	}
	f.Reverse(gone.ID)
	all := func(query string, limit int) (out []OrderRow) {
		t.Helper()
		after := ""
		for range 20 {
			var page httpapi.Page[OrderRow]
			c.OK(http.MethodGet, fmt.Sprintf("/api/console/orders?%s&limit=%d&after=%s", query, limit, url.QueryEscape(after)), nil, &page)
			out = append(out, page.Items...)
			if after = page.Next; after == "" {
				return out
			}
		}
		t.Fatal("pages never end")
		return nil
	}
	for _, sort := range []string{"at", "-at", "total", "-total"} {
		whole := all("sort="+sort, 100)
		for _, limit := range []int{1, 2, 4} {
			parts := all("sort="+sort, limit)
			if len(whole) != 6 || fmt.Sprint(whole) != fmt.Sprint(parts) {
				t.Errorf("%s by %d: %d of %d, or another order", sort, limit, len(parts), len(whole))
			}
		}
	}
	if got := all("sort=-total", 10); got[0].ID != wax.ID || got[5].TotalFen != 4500 {
		t.Errorf("%+v", got[0])
	}
	for query, want := range map[string]int{
		"status=reversed": 1, "tender=balance": 1, "tender=cash": 5, fmt.Sprint("storeId=", f.East): 1, "q=13800138000": 1, "q=B777": 2,
		"q=" + wax.No: 1, "q=" + mine.No[len(mine.No)-8:]: 1, "from=2026-11-18&to=2026-11-18": 6, "from=2026-11-19": 0, "to=2026-11-17": 0,
		"q=" + url.QueryEscape("王小明"): 1, "q=" + url.QueryEscape("浙A"): 0, "q=abc": 0, "q=" + url.QueryEscape("%%%"): 0, "q=___": 0, "disputed=true": 0, fmt.Sprint("memberId=", me): 1,
	} {
		if got := all(query, 3); len(got) != want {
			t.Errorf("%s: %d, want %d", query, len(got), want)
		}
	}
	if got := all("q=13800138000", 3)[0]; got.MemberName != "王**" || got.MemberID != me || got.StoreName != "西湖店" || got.TenderLabel != "储值" {
		t.Errorf("%+v", got)
	}
	for _, query := range []string{"q=1", "q=%25"} {
		c.Fault(memberview.ErrTooShort, http.MethodGet, "/api/console/orders?"+query, nil)
	}
	for _, query := range []string{"from=2026-02-30", "from=2026-11-19&to=2026-11-18", "sort=plate", "tender=gold"} {
		c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/orders?"+query, nil)
	}
	c.Fault(memberview.ErrCursor, http.MethodGet, "/api/console/orders?after=nonsense", nil)
	west := apitest.Staff(perm.CheckoutRead)
	west.AllStores, west.Stores = false, []int64{f.West}
	var page httpapi.Page[OrderRow]
	base.As(west).OK(http.MethodGet, "/api/console/orders", nil, &page)
	if len(page.Items) != 5 {
		t.Errorf("western reader sees %d", len(page.Items))
	}
	base.As(west).Fault(fault.ErrStore, http.MethodGet, fmt.Sprint("/api/console/orders?storeId=", f.East), nil)
	west.Stores = nil
	base.As(west).OK(http.MethodGet, "/api/console/orders", nil, &page)
	if len(page.Items) != 0 {
		t.Errorf("a reader of no store sees %d", len(page.Items))
	}
}

func TestTopupList(t *testing.T) {
	f := shopfloor.New(t)
	c := apitest.New(t, New(f.DB, f.Members, f.Shops).Routes).As(apitest.Staff(perm.PaymentRead))
	me := f.Member("王小明", "13800138000", "")
	other := f.Member("李四", "13900139000", "")
	f.Topup(f.West, me, 50000, "cash")
	f.Topup(f.East, me, 10000, "alipay")
	f.Topup(f.West, other, 20000, "cash")
	f.Refund(0, other, 20000)
	for query, want := range map[string]int{"": 3, "state=refunded": 1, "method=cash": 2, fmt.Sprint("storeId=", f.East): 1, "q=13800138000": 2,
		"q=13800138001": 0, "q=" + url.QueryEscape("李四"): 1, "q=abc": 0, fmt.Sprint("memberId=", other): 1, "from=2026-11-18": 3, "to=2026-11-17": 0} {
		var got []TopupRow
		after := ""
		for {
			var page httpapi.Page[TopupRow]
			c.OK(http.MethodGet, "/api/console/topups?limit=1&"+query+"&after="+after, nil, &page)
			got = append(got, page.Items...)
			if after = page.Next; after == "" {
				break
			}
		}
		if len(got) != want {
			t.Errorf("%s: %d, want %d", query, len(got), want)
		}
	}
	var page httpapi.Page[TopupRow]
	c.OK(http.MethodGet, "/api/console/topups", nil, &page)
	if x := page.Items[0]; x.MemberName != "李*" || x.RefundedFen != 20000 || x.State != "refunded" || x.StoreName != "西湖店" || x.StaffName != "王店长" {
		t.Errorf("%+v", x)
	}
	c.Fault(fault.ErrForbidden, http.MethodGet, "/api/console/orders", nil)
}

func TestParseSearchNeverMatchesEverything(t *testing.T) {
	for text, want := range map[string]search{
		"W12345678": {no: "W12345678"}, "B777": {plate: "B777"}, "123456": {no: "123456", plate: "123456"}, "%%%": {}, "___": {}, "abcdef": {name: "abcdef"}} {
		if got, err := parseSearch(text); err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", text, got, err, want)
		}
	}
	if _, err := parseSearch(" 1 "); !errors.Is(err, memberview.ErrTooShort) {
		t.Error(err)
	}
}

func TestConsolePageAnswersWithOrWithoutABuild(t *testing.T) {
	f := shopfloor.New(t)
	c := apitest.New(t, New(f.DB, f.Members, f.Shops).Routes)
	if a := c.Do(http.MethodGet, "/console", nil); a.Status != http.StatusFound {
		t.Errorf("%d", a.Status)
	}
	a := c.Do(http.MethodGet, "/console/", nil)
	if !strings.Contains(string(a.Body), "<html") || a.Status == http.StatusServiceUnavailable && !strings.Contains(string(a.Body), "make build") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for _, p := range []string{"/console/../go.mod", "/console/%2e%2e/%2e%2e/go.mod", "/console/.gitkeep", "/console/.vite/manifest.json", "/console/nothing.js"} {
		if a := c.Do(http.MethodGet, p, nil); a.Status != http.StatusNotFound && a.Status/100 != 3 && a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", p, a.Status)
		}
	}
}
