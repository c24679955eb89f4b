package memberview

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

type rig struct {
	*shopfloor.Floor
	s    *Service
	http *apitest.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	f := shopfloor.New(t)
	s := New(f.DB, f.Members, f.Tiers, f.Shops, f.Settings)
	return &rig{f, s, apitest.New(t, s.Routes)}
}

func (r *rig) owner(id int64) *apitest.Client { return r.http.As(r.Owner(id)) }
func (r *rig) staff(permissions ...string) *apitest.Client {
	return r.http.As(apitest.Staff(permissions...))
}

func balance(fen int64) checkout.Tender {
	return checkout.Tender{Kind: checkout.TenderBalance, AmountFen: money.Fen(fen)}
}

func cash(fen int64) checkout.Tender {
	return checkout.Tender{Kind: checkout.TenderCash, AmountFen: money.Fen(fen)}
}

func TestParseQuery(t *testing.T) {
	for _, c := range []struct {
		text  string
		names bool
		want  query
		err   error
	}{
		{"13800138000", false, query{phone: "13800138000", card: "13800138000", oldCard: "13800138000"}, nil},
		{"138 0013 8000", false, query{phone: "13800138000", card: "13800138000", oldCard: "13800138000"}, nil},
		{"8000", false, query{last4: "8000", card: "8000", plate: "8000", oldCard: "8000"}, nil},
		{"612345678904", false, query{card: "612345678904", oldCard: "612345678904"}, nil},
		{"%bvip-0088^WANG^2512?", false, query{oldCard: "VIP0088"}, nil},
		{"a12", false, query{plate: "A12"}, nil},
		{"浙a·12", false, query{plate: "浙A12"}, nil},
		{"12", false, query{}, ErrTooShort},
		{"", false, query{}, ErrTooShort},
		{"  8 ", false, query{}, ErrTooShort},
		{"张", true, query{}, ErrTooShort},
		{"%%%", false, query{}, nil},
		{"___", true, query{}, nil},
		{"abc", false, query{}, nil}, // N32: no digits, nobody
		{"洗车店", false, query{}, nil},
		{"王小明", true, query{name: "王小明"}, nil},
		{"王明", true, query{name: "王明"}, nil},
		{"123%", false, query{}, nil},
		{"' OR 1=1 --", false, query{}, nil},
	} {
		got, err := parseQuery(c.text, c.names)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %+v %v, want %+v %v", c.text, got, err, c.want, c.err)
		}
	}
}

func TestHomeRecordsAndPulseOfTheOwner(t *testing.T) {
	r := newRig(t)
	me := r.Member("王小明", "13800138000", "浙A12345")
	other := r.Member("李四", "13900139000", "")
	r.Topup(r.West, me, 50000, "cash")
	r.Topup(r.West, other, 10000, "cash")
	var p Pulse
	r.owner(me).OK(http.MethodGet, "/api/owner/pulse", nil, &p)
	if len(p.Items) != 1 || p.Seq != p.Items[0].Seq {
		t.Fatalf("%+v", p)
	}
	since := p.Seq
	r.owner(me).OK(http.MethodGet, fmt.Sprint("/api/owner/pulse?since=", since), nil, &p)
	if len(p.Items) != 0 || p.Seq != since {
		t.Errorf("nothing new: %+v", p)
	}
	o := r.Settle(r.West, me, "浙A12345", []int64{r.Wash}, balance(4500))
	r.owner(me).OK(http.MethodGet, fmt.Sprint("/api/owner/pulse?since=", since), nil, &p)
	if len(p.Items) != 1 || p.Items[0].OrderID != o.ID || p.Items[0].DeltaFen != -4500 || p.Items[0].BalanceAfterFen != 53500 || p.Items[0].StoreName != "西湖店" {
		t.Fatalf("deduction: %+v", p)
	}
	r.Settle(r.West, me, "浙A12345", []int64{r.Wash}) // cash
	mixed := r.Settle(r.East, me, "浙A12345", []int64{r.Wax}, balance(15000), cash(5000))
	r.Reverse(mixed.ID)
	r.Refund(0, me, 10000)

	var page httpapi.Page[Record]
	r.owner(me).OK(http.MethodGet, "/api/owner/records", nil, &page)
	var kinds []string
	for _, x := range page.Items {
		kinds = append(kinds, x.Kind)
		if x.PrincipalDeltaFen+x.BonusDeltaFen != x.DeltaFen {
			t.Errorf("parts: %+v", x)
		}
	}
	if got := strings.Join(kinds, " "); got != "refund reversal consume walk_in_tender consume topup" {
		t.Fatalf("kinds: %s", got)
	}
	// Every balance follows from the one before, also over events that moved one unit or none.
	for i := 0; i+1 < len(page.Items); i++ {
		if a, b := page.Items[i], page.Items[i+1]; a.BalanceAfterFen != b.BalanceAfterFen+a.DeltaFen {
			t.Errorf("%s after %s: %d is not %d%+d", a.Kind, b.Kind, a.BalanceAfterFen, b.BalanceAfterFen, a.DeltaFen)
		}
	}
	walk, top := page.Items[3], page.Items[5]
	if walk.PaidFen != 4500 || walk.DeltaFen != 0 || walk.BalanceAfterFen != 53500 || top.PaidFen != 50000 || top.DeltaFen != 58000 || top.BonusDeltaFen != 8000 || top.TopupID == 0 {
		t.Errorf("%+v %+v", walk, top)
	}
	if c := page.Items[2]; c.PaidFen != 20000 || c.DeltaFen != -15000 || c.StoreName != "滨江店" {
		t.Errorf("mixed %+v", c)
	}
	for kind, want := range map[string]int{"consume": 2, "walk_in_tender": 1, "topup": 1, "reversal": 1, "refund": 1, "adjust": 0} {
		r.owner(me).OK(http.MethodGet, "/api/owner/records?kind="+kind, nil, &page)
		if len(page.Items) != want {
			t.Errorf("%s: %d", kind, len(page.Items))
		}
		for _, x := range page.Items {
			if x.Kind != kind {
				t.Errorf("%s in %s", x.Kind, kind)
			}
		}
	}

	var h Home
	r.owner(me).OK(http.MethodGet, "/api/owner/home", nil, &h)
	if h.Member.Name != "王小明" || h.Member.PhoneMasked != "138****8000" || h.Card == nil || h.Tier.Name != "普通会员" || len(h.Vehicles) != 1 ||
		len(h.Records) != 3 || h.Store == nil || h.Store.ID != r.West || !h.CharterOutdated {
		t.Errorf("%+v", h)
	}
	if h.Wallet.TotalFen != h.Records[0].BalanceAfterFen || h.Wallet.PrincipalFen+h.Wallet.BonusFen != h.Wallet.TotalFen {
		t.Errorf("wallet %+v, last record %+v", h.Wallet, h.Records[0])
	}
	// Another owner sees the other's own rows and nothing else.
	var theirs httpapi.Page[Record]
	r.owner(other).OK(http.MethodGet, "/api/owner/records", nil, &theirs)
	if len(theirs.Items) != 1 || theirs.Items[0].PaidFen != 10000 {
		t.Errorf("%+v", theirs)
	}
	r.http.As(actor.Actor{Kind: actor.Owner, ID: 5}).Fault(httpapi.ErrNotJoined, http.MethodGet, "/api/owner/home", nil)
	r.owner(me).Fault(ErrCursor, http.MethodGet, "/api/owner/records?after=x", nil)
	r.staff(perm.MemberRead).Fault(fault.ErrExpired, http.MethodGet, "/api/owner/home", nil)
}

func TestRecordsPageCompletely(t *testing.T) {
	r := newRig(t)
	me := r.Member("王小明", "13800138000", "浙A12345")
	r.Topup(r.West, me, 50000, "cash")
	for range 6 {
		r.Settle(r.West, me, "浙A12345", []int64{r.Wash}, balance(4500))
	}
	for _, limit := range []int{1, 2, 3, 7, 20} {
		seen, after := map[int64]bool{}, ""
		for range 10 {
			var page httpapi.Page[Record]
			r.owner(me).OK(http.MethodGet, fmt.Sprintf("/api/owner/records?limit=%d&after=%s", limit, after), nil, &page)
			for _, x := range page.Items {
				if seen[x.ID] {
					t.Errorf("limit %d: %d twice", limit, x.ID)
				}
				seen[x.ID] = true
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if len(seen) != 7 {
			t.Errorf("limit %d: %d of 7", limit, len(seen))
		}
	}
}

func TestN32LookupIsAListAndNeverEverybody(t *testing.T) {
	r := newRig(t)
	a := r.Member("王小明", "13800138000", "浙A12345")
	b := r.Member("王大明", "13911118000", "浙A12399")
	r.Member("赵六", "13700000001", "沪B88888")
	r.Settle(r.West, 0, "浙A12377", []int64{r.Wash})
	r.Settle(r.West, 0, "浙A12377", []int64{r.Wax})
	r.Settle(r.West, 0, "浙A12345", []int64{r.Wash}) // before the car joined
	card, err := r.Members.Card(t.Context(), a)
	shopfloor.Must(t, err)
	c := r.staff(perm.MemberRead)
	find := func(q string) []Hit {
		t.Helper()
		var out Hits
		c.OK(http.MethodGet, fmt.Sprintf("/api/staff/lookup?storeId=%d&q=%s", r.West, url.QueryEscape(q)), nil, &out)
		return out.Items
	}
	ids := func(hits []Hit) string {
		var out []string
		for _, h := range hits {
			switch h.MemberID {
			case a:
				out = append(out, "a")
			case b:
				out = append(out, "b")
			case 0:
				out = append(out, h.Plates[0])
			default:
				out = append(out, "?")
			}
		}
		return strings.Join(out, " ")
	}
	for q, want := range map[string]string{
		"13800138000": "a", "138 0013 8000": "a", "8000": "b a", "A123": "b a 浙A12377", "浙A123": "b a 浙A12377", "12399": "b", "377": "浙A12377",
		card.No: "a", card.No[:11]: "a", "13800138001": "", "9999": "",
		// Text without digits matches nobody, and a user's wildcards are themselves.
		"abc": "", "王小明": "", "%%%": "", "___": "", "1%3": "", "_23": "", "A%9": "", "' OR '1'='1": "", "浙A浙": "",
	} {
		if got := ids(find(q)); got != want {
			t.Errorf("%q finds [%s], want [%s]", q, got, want)
		}
	}
	for _, q := range []string{"1", "12", " 8 ", "A1", "%", "浙", "··12"} {
		c.Fault(ErrTooShort, http.MethodGet, fmt.Sprintf("/api/staff/lookup?storeId=%d&q=%s", r.West, url.QueryEscape(q)), nil)
	}
	hit := find("13800138000")[0]
	if hit.NameMasked != "王**" || hit.PhoneMasked != "138****8000" || hit.CardNo != "**** **** "+card.No[8:] || hit.TierName != "普通会员" || hit.Status != "active" {
		t.Errorf("%+v", hit)
	}
	if w := find("377")[0]; w.Kind != "walk_in" || w.Visits != 2 || w.LastAt == nil {
		t.Errorf("%+v", w)
	}
	mine := apitest.Staff(perm.MemberRead)
	mine.AllStores, mine.Stores = false, []int64{r.West}
	r.http.As(mine).Fault(fault.ErrStore, http.MethodGet, fmt.Sprintf("/api/staff/lookup?storeId=%d&q=8000", r.East), nil)
}

func TestScanShowsTheMemberOnce(t *testing.T) {
	r := newRig(t)
	me := r.Member("王小明", "13800138000", "浙A12345")
	r.Topup(r.West, me, 50000, "cash")
	code := r.Code(me)
	c := r.staff(perm.MemberRead)
	var d DeskMember
	c.OK(http.MethodPost, "/api/staff/scan", ScanInput{r.West, code}, &d)
	if d.MemberID != me || d.ScanID == 0 || d.ScanExpiresAt == nil || d.Wallet.TotalFen != 58000 || d.Name != "王**" || d.BlockReason != "" || len(d.Vehicles) != 1 {
		t.Errorf("%+v", d)
	}
	c.Fault(member.ErrCodeUsed, http.MethodPost, "/api/staff/scan", ScanInput{r.West, code})
	c.Fault(member.ErrCodeUnknown, http.MethodPost, "/api/staff/scan", ScanInput{r.West, "000000000000000000"})
	if _, err := r.Members.FreezeCard(r.Ctx(), me, "客户要求"); err != nil {
		t.Fatal(err)
	}
	c.OK(http.MethodGet, fmt.Sprintf("/api/staff/members/%d?storeId=%d", me, r.West), nil, &d)
	if d.BlockReason == "" || d.Card == nil || d.Card.Status != "frozen" {
		t.Errorf("a frozen card must say so: %+v", d)
	}
	r.Clock.Advance(3 * time.Minute)
	c.Fault(fault.ErrNotFound, http.MethodGet, fmt.Sprintf("/api/staff/members/4?storeId=%d", r.West), nil)
	r.staff().Fault(fault.ErrForbidden, http.MethodPost, "/api/staff/scan", ScanInput{r.West, code})
}

func TestPlatePromptsToJoin(t *testing.T) {
	r := newRig(t)
	for range 4 {
		r.Settle(r.West, 0, "浙A12377", []int64{r.Wash})
	}
	last := r.Settle(r.East, 0, "浙A12377", []int64{r.Wax})
	c := r.staff(perm.MemberRead)
	get := func(plate string) (p Plate) {
		t.Helper()
		c.OK(http.MethodGet, fmt.Sprintf("/api/staff/plates/%s?storeId=%d", url.PathEscape(plate), r.West), nil, &p)
		return p
	}
	p := get("浙a·12377")
	if p.Plate != "浙A12377" || p.Visits != 5 || p.TotalFen != 4*4500+20000 || !p.SuggestJoin || p.MemberID != 0 || len(p.Recent) != 5 || p.Recent[0].OrderID != last.ID {
		t.Errorf("%+v", p)
	}
	r.Reverse(last.ID)
	if p = get("浙A12377"); p.Visits != 4 || p.SuggestJoin {
		t.Errorf("a reversed visit counts: %+v", p)
	}
	me := r.Member("王小明", "13800138000", "浙A12377")
	if p = get("浙A12377"); p.MemberID != me || p.SuggestJoin {
		t.Errorf("%+v", p)
	}
	r.Member("王太太", "13800138001", "浙A12377")
	if p = get("浙A12377"); p.MemberID != 0 || p.SuggestJoin {
		t.Errorf("two drive it, none is picked: %+v", p)
	}
	c.Fault(fault.ErrInvalid, http.MethodGet, fmt.Sprintf("/api/staff/plates/%s?storeId=%d", "abc", r.West), nil)
}

func TestDeskRegistersOnce(t *testing.T) {
	r := newRig(t)
	c := r.staff(perm.MemberWrite)
	in := member.NewMember{StoreID: r.West, Phone: "13800138000", Name: "王小明", Vehicle: &member.VehicleInput{Plate: "浙A12345"}}
	var d, again DeskMember
	c.OK(http.MethodPost, "/api/staff/members", in, &d, "Idempotency-Key", "key-12345678")
	c.OK(http.MethodPost, "/api/staff/members", in, &again, "Idempotency-Key", "key-12345678")
	if d.MemberID == 0 || again.MemberID != d.MemberID || d.Card == nil || d.PhoneMasked != "138****8000" {
		t.Errorf("%+v %+v", d, again)
	}
	c.Fault(member.ErrPhoneTaken, http.MethodPost, "/api/staff/members", in, "Idempotency-Key", "key-another1")
}

func TestTodayOfAStore(t *testing.T) {
	r := newRig(t)
	me := r.Member("王小明", "13800138000", "浙A12345")
	r.Topup(r.West, me, 50000, "cash")
	r.Settle(r.West, me, "浙A12345", []int64{r.Wash}, balance(4500))
	r.Settle(r.West, 0, "浙A99999", []int64{r.Wax}, cash(10000), checkout.Tender{Kind: "alipay", AmountFen: 10000, Reference: "x"})
	gone := r.Settle(r.West, 0, "浙A99999", []int64{r.Wash})
	r.Reverse(gone.ID)
	r.Settle(r.East, 0, "浙A99999", []int64{r.Wash})
	c := r.staff(perm.CheckoutSettle)
	var d Today
	c.OK(http.MethodGet, fmt.Sprintf("/api/staff/today?storeId=%d", r.West), nil, &d)
	want := map[string]Taking{"balance": {"balance", "储值", 4500, 1}, "cash": {"cash", "现金", 60000, 2}, "alipay": {"alipay", "支付宝", 10000, 1},
		"card": {"card", "刷卡", 0, 0}, "wechat_native": {"wechat_native", "微信支付", 0, 0}, "deposit": {"deposit", "定金", 0, 0},
		"points": {"points", "积分", 0, 0}, "group": {"group", "家庭/企业账户", 0, 0}}
	for _, x := range d.Takings {
		if want[x.Kind] != x {
			t.Errorf("%+v, want %+v", x, want[x.Kind])
		}
	}
	if d.BizDay != "2026-11-18" || d.SettledCount != 2 || d.SettledFen != 24500 || len(d.Items) != 3 || d.Items[0].Status != "reversed" || d.Items[2].MemberName != "王**" {
		t.Errorf("%+v", d)
	}
	c.OK(http.MethodGet, fmt.Sprintf("/api/staff/today?storeId=%d&limit=2", r.West), nil, &d)
	rest := Today{}
	c.OK(http.MethodGet, fmt.Sprintf("/api/staff/today?storeId=%d&limit=2&after=%s", r.West, d.Next), nil, &rest)
	if len(d.Items) != 2 || len(rest.Items) != 1 || rest.Next != "" {
		t.Errorf("%d and %d", len(d.Items), len(rest.Items))
	}
	r.Clock.Advance(24 * time.Hour)
	c.OK(http.MethodGet, fmt.Sprintf("/api/staff/today?storeId=%d", r.West), nil, &d)
	if d.BizDay != "2026-11-19" || len(d.Items) != 0 || d.SettledFen != 0 {
		t.Errorf("a new day: %+v", d)
	}
}

func TestMemberListFiltersSortsAndPages(t *testing.T) {
	r := newRig(t)
	var ids []int64
	for i := range 7 {
		ids = append(ids, r.Member("会员", fmt.Sprintf("1380013800%d", i), fmt.Sprintf("浙A1234%d", i)))
		if i%2 == 0 {
			r.Clock.Advance(time.Minute) // some join in the same millisecond
		}
	}
	r.Topup(r.West, ids[3], 20000, "cash")
	r.Topup(r.West, ids[5], 50000, "cash")
	r.Settle(r.West, ids[1], "浙A12341", []int64{r.Wash})
	r.Settle(r.West, ids[3], "浙A12343", []int64{r.Wash})
	shopfloor.Must(t, r.DB.InTx(r.Ctx(), func(ctx context.Context, tx *db.Tx) error {
		return r.Tiers.SetMemberTierTx(ctx, tx, ids[2], r.Gold, "老客户")
	}))
	c := r.staff(perm.MemberRead)
	all := func(query string, limit int) (out []Row) {
		t.Helper()
		after := ""
		for range 20 {
			var page httpapi.Page[Row]
			c.OK(http.MethodGet, fmt.Sprintf("/api/console/members?%s&limit=%d&after=%s", query, limit, url.QueryEscape(after)), nil, &page)
			out = append(out, page.Items...)
			if after = page.Next; after == "" {
				return out
			}
		}
		t.Fatal("pages never end")
		return nil
	}
	for _, sort := range []string{"joinedAt", "-joinedAt", "balance", "-balance", "lastVisit", "-lastVisit"} {
		whole := all("sort="+sort, 200)
		for _, limit := range []int{1, 2, 3} {
			parts := all("sort="+sort, limit)
			if len(whole) != 7 || len(parts) != 7 {
				t.Fatalf("%s by %d: %d of %d", sort, limit, len(parts), len(whole))
			}
			for i := range whole {
				if whole[i].ID != parts[i].ID {
					t.Errorf("%s by %d: another order at %d", sort, limit, i)
				}
			}
		}
	}
	if got := all("sort=-balance", 2); got[0].ID != ids[5] || got[1].ID != ids[3] || got[0].TotalFen != 58000 || got[0].BonusFen != 8000 {
		t.Errorf("by balance: %+v", got[:2])
	}
	if got := all("sort=-lastVisit", 2); got[0].ID != ids[3] || got[1].ID != ids[1] || got[0].Visits != 1 || got[0].LastVisitAt == nil {
		t.Errorf("by visit: %+v", got[:2])
	}
	if got := all(fmt.Sprint("tierId=", r.Gold), 5); len(got) != 1 || got[0].ID != ids[2] || got[0].TierName != "金卡" {
		t.Errorf("gold: %+v", got)
	}
	def, err := r.Tiers.Default(t.Context(), r.DB)
	shopfloor.Must(t, err)
	if got := all(fmt.Sprint("tierId=", def.ID), 5); len(got) != 6 {
		t.Errorf("default tier: %d", len(got))
	}
	if got := all(fmt.Sprint("storeId=", r.East), 5); len(got) != 0 {
		t.Errorf("joined in the east: %+v", got)
	}
	if got := all("q=8003", 5); len(got) != 1 || got[0].ID != ids[3] || got[0].Name != "会*" || got[0].PhoneMasked != "138****8003" || got[0].Plates[0] != "浙A12343" {
		t.Errorf("%+v", got)
	}
	if got := all("q="+url.QueryEscape("会员"), 3); len(got) != 7 {
		t.Errorf("by whole name: %d", len(got))
	}
	for _, q := range []string{"会", "%25%25%25", "___", "会员%25"} {
		var page httpapi.Page[Row]
		if a := c.Do(http.MethodGet, "/api/console/members?q="+url.QueryEscape(strings.ReplaceAll(q, "%25", "%")), nil); a.Status == 200 {
			c.OK(http.MethodGet, "/api/console/members?q="+url.QueryEscape(strings.ReplaceAll(q, "%25", "%")), nil, &page)
			if len(page.Items) != 0 {
				t.Errorf("%q matches %d", q, len(page.Items))
			}
		}
	}
	c.Fault(ErrCursor, http.MethodGet, "/api/console/members?after=1", nil)
	c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/members?sort=name", nil)
	c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/members?limit=201", nil)
	r.staff().Fault(fault.ErrForbidden, http.MethodGet, "/api/console/members", nil)
}

func TestDetailAndLedgerWithReversalLinks(t *testing.T) {
	r := newRig(t)
	me := r.Member("王小明", "13800138000", "浙A12345")
	r.Code(me)
	r.Topup(r.West, me, 50000, "cash")
	o := r.Settle(r.West, me, "浙A12345", []int64{r.Wash}, balance(4500))
	kept := r.Settle(r.West, me, "浙A12345", []int64{r.Wax}, balance(20000))
	r.Reverse(o.ID)
	r.Refund(0, me, 10000)
	c := r.staff(perm.MemberRead)
	var d Detail
	c.OK(http.MethodGet, fmt.Sprint("/api/console/members/", me), nil, &d)
	if d.Member.NameMasked != "王**" || d.Member.PhoneMasked != "138****8000" || len(d.Cards) != 1 || len(d.Vehicles) != 1 || d.Visits != 1 || d.SpentFen != kept.Total ||
		d.Counts.Orders != 2 || d.Counts.Disputes != 0 || d.Member.StoreName != "西湖店" {
		t.Errorf("%+v", d)
	}
	if len(d.Identities) != 1 || !strings.Contains(d.Identities[0].OpenIDMasked, "****") || d.Identities[0].UnionID {
		t.Errorf("%+v", d.Identities)
	}
	var page httpapi.Page[Entry]
	c.OK(http.MethodGet, fmt.Sprintf("/api/console/members/%d/ledger", me), nil, &page)
	sum, last, byID := map[string]int64{}, map[string]int64{}, map[int64]Entry{}
	for i := len(page.Items) - 1; i >= 0; i-- {
		e := page.Items[i]
		byID[e.ID] = e
		sum[e.Unit] += e.Amount
		if e.BalanceAfter != sum[e.Unit] {
			t.Errorf("%s: balance %d, entries sum to %d", e.Unit, e.BalanceAfter, sum[e.Unit])
		}
		last[e.Unit] = e.BalanceAfter
	}
	if last["principal"] != int64(d.Wallet.PrincipalFen) || last["bonus"] != int64(d.Wallet.BonusFen) {
		t.Errorf("%v and %+v", last, d.Wallet)
	}
	links := 0
	for _, e := range page.Items {
		if e.ReversesID != 0 {
			links++
			was := byID[e.ReversesID]
			if was.ReversedByID != e.ID || was.Amount != -e.Amount || was.Unit != e.Unit || was.RefID != o.ID {
				t.Errorf("%+v undoes %+v", e, was)
			}
		}
	}
	if links != 2 {
		t.Errorf("%d reversal entries, want one per unit", links)
	}
	for _, limit := range []int{1, 3} {
		seen, after := 0, ""
		for range 20 {
			var p httpapi.Page[Entry]
			c.OK(http.MethodGet, fmt.Sprintf("/api/console/members/%d/ledger?unit=bonus&limit=%d&after=%s", me, limit, after), nil, &p)
			for _, e := range p.Items {
				if e.Unit != "bonus" {
					t.Errorf("%+v", e)
				}
				seen++
			}
			if after = p.Next; after == "" {
				break
			}
		}
		if seen != len(page.Items)/2 {
			t.Errorf("limit %d: %d of %d", limit, seen, len(page.Items)/2)
		}
	}
	for _, path := range []string{"/api/console/members/9", "/api/console/members/9/ledger"} {
		c.Fault(fault.ErrNotFound, http.MethodGet, path, nil)
	}
}
