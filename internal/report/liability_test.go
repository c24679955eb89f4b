package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
)

// club is a business with passes and family accounts.
type club struct {
	*shopfloor.Floor
	s      *Service
	sales  *sale.Service
	passes *pass.Service
	groups *group.Service
	desk   *apitest.Client
	n      int
}

type mute struct{}

func (mute) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (mute) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

func openClub(t *testing.T) *club {
	t.Helper()
	f := shopfloor.New(t)
	c := &club{Floor: f}
	quiet := slog.New(slog.DiscardHandler)
	q := jobs.New(f.DB, quiet)
	key, err := secret.Generate()
	shopfloor.Must(t, err)
	box, err := secret.New(key)
	shopfloor.Must(t, err)
	messages := notify.New(f.DB, q, mute{}, nil, f.Settings, notify.Options{})
	c.sales = sale.New(f.DB, quiet, f.Members, payment.New(f.DB, q, nil, quiet), f.Shops, f.Settings)
	c.passes = pass.New(pass.Deps{DB: f.DB, Log: quiet, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, Sales: c.sales})
	c.groups = group.New(group.Deps{DB: f.DB, Box: box, Members: f.Members, Tiers: f.Tiers, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, Queue: q})
	f.Checkout.Bring(checkout.Assets{Passes: c.passes, Groups: c.groups})
	shopfloor.Must(t, f.Settings.Update(f.Ctx(), []setting.Value{{Key: setting.RequireCode, Value: false}}))
	c.s = New(f.DB, f.Shops, f.Members, f.Settings, c.groups)
	c.desk = apitest.New(t, c.s.Routes).As(apitest.Staff(perm.ReportRead, perm.GroupRead))
	return c
}

// sell sells a pass of ten washes for 400.00 at the desk.
func (c *club) sell(memberID int64, method string) {
	c.T.Helper()
	c.n++
	p, err := c.passes.CreatePlan(c.Ctx(), pass.PlanInput{Offer: pass.Offer{Name: fmt.Sprintf("十次卡%d", c.n), Kind: pass.KindTimes, PriceFen: 40000, ValidDays: 365, FromBalance: true,
		Lines: []pass.PlanLine{{ServiceIDs: []int64{c.Wash}, Times: 10, ListFen: 4500}}}, OnSale: true})
	shopfloor.Must(c.T, err)
	x, _, err := c.sales.Begin(c.Ctx(), sale.Buy{Kind: pass.SalePass, SubjectID: p.ID, MemberID: memberID, StoreID: c.West, Qty: 1}, sale.Pay{Method: method, Reference: "ref"})
	shopfloor.Must(c.T, err)
	if x.State != sale.StatePaid {
		c.T.Fatalf("the sale is %s", x.State)
	}
}

// wash settles a wash with whatever is best for the member.
func (c *club) wash(memberID int64, plate string, groupID int64) checkout.Order {
	c.T.Helper()
	c.Clock.Advance(time.Second)
	r := checkout.Request{StoreID: c.West, MemberID: memberID, Plate: plate, VehicleClassID: c.Car, GroupID: groupID, Items: []checkout.Item{{Kind: "service", ID: c.Wash, Qty: 1}}}
	q, err := c.Checkout.Quote(c.Ctx(), r)
	shopfloor.Must(c.T, err)
	var tenders []checkout.Tender
	switch {
	case q.TotalFen > 0 && groupID != 0:
		tenders = []checkout.Tender{{Kind: checkout.TenderGroup, AmountFen: q.TotalFen}}
	case q.TotalFen > 0:
		tenders = []checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: q.TotalFen}}
	}
	o, err := c.Checkout.Settle(c.Ctx(), r, q.QuoteHash, tenders)
	shopfloor.Must(c.T, err)
	return o
}

// fund puts principal into a wallet that no top-up brought.
func (c *club) fund(memberID int64, amount money.Fen) {
	c.T.Helper()
	shopfloor.Must(c.T, c.DB.InTx(c.T.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindAdjust, RefKind: "import"}, ledger.Leg{Unit: ledger.Principal, Amount: int64(amount)}, ledger.ShopLeg(ledger.Cash, -amount))
		return err
	}))
}

// check reads the cockpit and the wind-down and wants them to agree with each other and with every member's share.
func (c *club) check() (l Cockpit, w WindDown) {
	c.T.Helper()
	c.Clock.Advance(time.Minute)
	c.desk.OK(http.MethodGet, "/api/console/reports/liability", nil, &l)
	c.desk.OK(http.MethodGet, "/api/console/reports/wind-down", nil, &w)
	var age AgeBucket
	for _, b := range l.Ageing {
		age.PrincipalFen += b.PrincipalFen
		age.BonusFen += b.BonusFen
		age.PassesFen += b.PassesFen
		age.Points += b.Points
	}
	if age.PrincipalFen != l.PrincipalFen || age.BonusFen != l.BonusFen || age.PassesFen != l.PassesFen || age.Points != l.Points {
		c.T.Errorf("ages %+v, totals %+v", age, l)
	}
	last := l.Months[len(l.Months)-1]
	if len(l.Months) != 24 || last.PrincipalFen != l.PrincipalFen || last.BonusFen != l.BonusFen || last.PassesFen != l.PassesFen || last.MembershipsFen != l.MembershipsFen || last.Points != l.Points {
		c.T.Errorf("month %+v, totals %+v", last, l)
	}
	if l.TotalFen != l.CashOwedFen+l.BonusFen+l.PointsFen || l.CashOwedFen != l.PrincipalFen+l.PassesFen+l.MembershipsFen+l.DepositsFen {
		c.T.Errorf("%+v", l)
	}
	var tenders, sources, people money.Fen
	for _, t := range w.Tenders {
		tenders += t.AmountFen
	}
	for _, s := range w.Sources {
		sources += s.AmountFen
	}
	if tenders != w.TotalFen || sources != w.TotalFen || w.OnlineFen+w.ByHandFen != w.TotalFen || w.TotalFen > l.CashOwedFen || w.BonusFen != l.BonusFen {
		c.T.Errorf("%+v", w)
	}
	n := 0
	for at := "/api/console/reports/wind-down/members?limit=2"; at != ""; {
		var page httpapi.Page[BackMember]
		c.desk.OK(http.MethodGet, at, nil, &page)
		for _, m := range page.Items {
			var sum money.Fen
			for _, p := range m.Parts {
				sum += p.AmountFen
			}
			if sum != m.AmountFen || m.OnlineFen+m.ByHandFen != sum {
				c.T.Errorf("%+v", m)
			}
			people += sum
			n++
		}
		if at = ""; page.Next != "" {
			at = "/api/console/reports/wind-down/members?limit=2&after=" + page.Next
		}
	}
	if people != w.TotalFen || n != w.Members {
		c.T.Errorf("%d members get %d, the wind-down says %d and %d", n, people, w.Members, w.TotalFen)
	}
	shopfloor.Must(c.T, ledger.Audit(c.T.Context(), c.DB, func(p string) { c.T.Error(p) }, func(int) {}))
	return l, w
}

func TestTheCockpitAddsUp(t *testing.T) {
	c := openClub(t)
	if l, w := c.check(); l.TotalFen != 0 || w.TotalFen != 0 || len(l.Caps.Items) != 0 {
		t.Errorf("%+v %+v", l, w)
	}
	me, you, rich := c.Member("王小明", "13800138000", "浙A12345"), c.Member("李小红", "13800138001", "浙A12346"), c.Member("赵大", "13800138002", "")
	c.Topup(c.West, me, 50000, "cash") // and 8000 of bonus
	shopfloor.Must(t, ledger.Fold(t.Context(), c.DB))
	c.Clock.Advance(40 * 24 * time.Hour)
	c.Topup(c.West, you, 50000, "alipay")
	c.sell(me, "card")
	c.sell(you, "balance")
	c.fund(rich, 600_000)
	for range 3 {
		c.wash(me, "浙A12345", 0)
	}
	shopfloor.Must(t, ledger.Fold(t.Context(), c.DB))
	l, w := c.check()
	// you paid 400.00 of 500.00 + 80.00: 344.83 of principal and 55.17 of bonus.
	if l.PassesFen != 28000+40000 || l.PrincipalFen != 50000+600_000+50000-34483 || l.BonusFen != 8000+8000-5517 || l.Uses != 17 || l.Members != 3 {
		t.Errorf("%+v", l)
	}
	if l.Ageing[0].PrincipalFen != 600_000+50000-34483 || l.Ageing[1].PrincipalFen != 50000 || l.Ageing[0].PassesFen != 68000 {
		t.Errorf("%+v", l.Ageing)
	}
	if len(l.Caps.Items) != 1 || l.Caps.NamedOver != 1 || l.Caps.Items[0].MemberID != rich || l.Caps.Items[0].OverFen != 100_000 || !l.Caps.Items[0].Named || l.Caps.Items[0].Name != "赵大" && !strings.Contains(l.Caps.Items[0].Name, "赵") {
		t.Errorf("%+v", l.Caps)
	}
	by := map[string]money.Fen{}
	for _, x := range w.Tenders {
		by[fmt.Sprint(x.Tender, x.ByHand)] = x.AmountFen
	}
	if by["cashtrue"] != 50000 || by["alipaytrue"] != 50000-34483 || by["cardtrue"] != 28000 || by["othertrue"] != 600_000 || by["balancetrue"] != 34483 || w.OnlineFen != 0 {
		t.Errorf("%v", by)
	}
	if last, before := l.Months[23], l.Months[22]; last.RevenueFen != 12000 || before.PrincipalFen != 50000 || last.ReceivedFen != 50000+40000+600_000 {
		t.Errorf("%+v %+v", before, last)
	}
	// A second look within half a minute is the same one.
	c.Topup(c.West, me, 10000, "cash")
	again, err := c.s.Liability(t.Context())
	if err != nil || again.PrincipalFen != l.PrincipalFen {
		t.Errorf("%d %v", again.PrincipalFen, err)
	}
	if l, _ = c.check(); l.PrincipalFen != again.PrincipalFen+10000 {
		t.Errorf("%d", l.PrincipalFen)
	}
	c.desk.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/reports/wind-down/members?after=x", nil)
	apitest.New(t, c.s.Routes).As(apitest.Staff(perm.GroupRead)).Fault(fault.ErrForbidden, http.MethodGet, "/api/console/reports/liability", nil)
}

func TestWeChatGoesBackByItselfForAYear(t *testing.T) {
	now := time.Date(2026, 11, 18, 2, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		method string
		age    time.Duration
		tender string
		byHand bool
	}{{"wechat", time.Hour, "wechat", false}, {"wechat_native", refundWindow - 1, "wechat", false}, {"wechat", refundWindow, "wechat", true}, {"cash", 0, "cash", true}, {"balance", 0, "balance", true}, {"", 0, "other", true}} {
		if tender, byHand := tenderOf(x.method, now.Add(-x.age), now); tender != x.tender || byHand != x.byHand {
			t.Errorf("%+v: %s %v", x, tender, byHand)
		}
	}
	parts := spreadBack(1000, []fund{{Method: "cash", Left: 300}, {Method: "balance", Left: 500, Principal: 900, Bonus: 100}, {Method: "card", Left: 900}}, BackPart{}, now)
	if len(parts) != 3 || parts[0].AmountFen != 300 || parts[1].AmountFen != 450 || parts[2].AmountFen != 200 {
		t.Errorf("%+v", parts)
	}
	if parts = spreadBack(1000, nil, BackPart{}, now); len(parts) != 0 {
		t.Errorf("a gift is paid out: %+v", parts)
	}
	if pointsCost(1, 100) != 1 || pointsCost(150, 100) != 150 || pointsCost(0, 100) != 0 || pointsCost(3, 50) != 2 {
		t.Error("points at cost")
	}
}

func TestAGroupsMonthIsTheLedger(t *testing.T) {
	c := openClub(t)
	payer, anna, bruno := c.Member("王付款", "13800138000", ""), c.Member("安司机", "13800138001", "浙A12345"), c.Member("布司机", "13800138002", "浙A12346")
	c.Topup(c.West, payer, 50000, "cash")
	as := func(id int64) context.Context {
		return idem.With(actor.With(t.Context(), c.Owner(id)), idem.Key{Actor: "o", Key: fmt.Sprintf("key-%d", id), Hash: "x"})
	}
	g, err := c.groups.Create(as(payer), group.NewGroup{Kind: group.Family, Name: "=王家"})
	shopfloor.Must(t, err)
	for id, note := range map[int64]string{anna: "女儿", bruno: "儿子"} {
		v, err := c.groups.Invite(as(payer), g.ID, group.Place{CardKind: group.CardDriver, Note: note})
		shopfloor.Must(t, err)
		_, err = c.groups.Join(as(id), v.Code)
		shopfloor.Must(t, err)
	}
	c.wash(payer, "浙A99999", 0) // the payer's own: not the group's
	c.wash(anna, "浙A12345", g.ID)
	second := c.wash(anna, "浙A12345", g.ID)
	c.wash(anna, "浙A88888", g.ID)
	c.wash(bruno, "浙A12346", g.ID)
	undone := c.wash(bruno, "浙A12346", g.ID)
	c.Reverse(undone.ID)
	month := func(m string) (s Statement) {
		t.Helper()
		c.desk.OK(http.MethodGet, fmt.Sprintf("/api/console/groups/%d/statement?month=%s", g.ID, m), nil, &s)
		var lines, sums money.Fen
		for _, l := range s.Lines {
			lines += l.AmountFen
		}
		for _, d := range s.Drivers {
			sums += d.AmountFen
		}
		if lines != s.TotalFen || sums != s.TotalFen {
			t.Errorf("%+v", s)
		}
		return s
	}
	s := month("2026-11")
	if s.TotalFen != 4*4500 || s.Count != 4 || len(s.Lines) != 6 || len(s.Drivers) != 3 {
		t.Errorf("%+v", s)
	}
	// A settlement that is taken back in the next month stands in that month.
	c.Clock.Set(time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC))
	c.Reverse(second.ID)
	if s = month("2026-11"); s.TotalFen != 4*4500 {
		t.Errorf("November changed: %+v", s)
	}
	if s = month(""); s.Month != "2026-12" || s.TotalFen != -4500 || s.Count != -1 || len(s.Months) != 2 || s.Months[0] != "2026-12" {
		t.Errorf("%+v", s)
	}
	held, err := ledger.BalanceOf(t.Context(), c.DB, payer)
	shopfloor.Must(t, err)
	if left := money.Fen(held.Principal + held.Bonus); left != 58000-4500-(month("2026-11").TotalFen+month("2026-12").TotalFen) {
		t.Errorf("the payer has %d", left)
	}
	var file StatementFile
	c.desk.OK(http.MethodGet, fmt.Sprintf("/api/console/groups/%d/statement-file?month=2026-12", g.ID), nil, &file)
	rd := csv.NewReader(bytes.NewReader([]byte(strings.TrimPrefix(file.CSV, "\ufeff"))))
	rd.FieldsPerRecord = -1
	rows, err := rd.ReadAll()
	if err != nil || rows[0][0] != "'=王家" || rows[2][6] != "-45.00" || rows[len(rows)-1][3] != "-45.00" || file.FileName != "对账单-2026-12.csv" {
		t.Errorf("%v %v", rows, err)
	}
	owner := apitest.New(t, c.s.Routes)
	owner.As(c.Owner(payer)).OK(http.MethodGet, fmt.Sprintf("/api/owner/groups/%d/statement", g.ID), nil, nil)
	owner.As(c.Owner(anna)).Fault(fault.ErrNotFound, http.MethodGet, fmt.Sprintf("/api/owner/groups/%d/statement", g.ID), nil)
	owner.As(c.Owner(payer)).Fault(fault.ErrInvalid, http.MethodGet, fmt.Sprintf("/api/owner/groups/%d/statement?month=2026-13", g.ID), nil)
	shopfloor.Must(t, c.groups.Audit(t.Context(), func(p string) { t.Error(p) }))
}
