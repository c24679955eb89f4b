package pass_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

func TestSellAndUse(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	r.want(p, pass.StateActive, 10, 30000)
	if pass.LastDay(p.ExpiresAt) != "2027-11-18" || r.messages("pass_sold") != 1 {
		t.Errorf("%s, %d messages", pass.LastDay(p.ExpiresAt), r.messages("pass_sold"))
	}
	order, err := r.use(p, 1)
	must(t, err)
	r.want(p, pass.StateActive, 9, 27000)
	if r.account(ledger.Revenue) != 3000 {
		t.Errorf("revenue %d", r.account(ledger.Revenue))
	}
	must(t, r.undo(order, m))
	r.want(p, pass.StateActive, 10, 30000)
	_, err = r.use(p, 10)
	must(t, err)
	r.want(p, pass.StateUsed, 0, 0)
	if _, err = r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
}

func TestN09TwoTillsOnTheLastUse(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	_, err := r.use(p, 9)
	must(t, err)
	var wg sync.WaitGroup
	var used, refused atomic.Int64
	for i := range 6 {
		u := pass.Use{OrderID: int64(100 + i), MemberID: m, StoreID: r.West, LineID: p.Lines[0].ID, ServiceID: r.Wash, Qty: 1, Plate: "浙A12345", BizDay: "2026-11-18"}
		wg.Go(func() {
			err := r.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				b, err := ledger.LockTx(ctx, tx, m, ledger.Uses)
				if err != nil {
					return err
				}
				got, err := r.UseTx(ctx, tx, b, u)
				if err != nil {
					return err
				}
				_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindBenefit, BizDay: u.BizDay, RefKind: "order", RefID: u.OrderID},
					append(got.Legs, ledger.ShopLeg(ledger.Passes, -got.RecognisedFen), ledger.ShopLeg(ledger.Revenue, got.RecognisedFen))...)
				return err
			})
			switch {
			case err == nil:
				used.Add(1)
			case errors.Is(err, pass.ErrUse):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if used.Load() != 1 || refused.Load() != 5 {
		t.Errorf("%d used, %d refused", used.Load(), refused.Load())
	}
	r.want(p, pass.StateUsed, 0, 0)
}

// Two items of one order may use one line: the second finds what the first left, though nothing is posted yet.
func TestOneOrderUsesALineTwice(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(func(in *pass.PlanInput) { in.Lines[0].Times, in.PriceFen = 3, 9000 })), m, sale.MethodCash, "")
	use := func(n int) error {
		return r.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			b, err := ledger.LockTx(ctx, tx, m, ledger.Uses)
			if err != nil {
				return err
			}
			var legs []ledger.Leg
			for range n {
				got, err := r.UseTx(ctx, tx, b, pass.Use{OrderID: 5, MemberID: m, StoreID: r.West, LineID: p.Lines[0].ID, ServiceID: r.Wash, Qty: 1, BizDay: "2026-11-18"})
				if err != nil {
					return err
				}
				legs = append(legs, got.Legs...)
				legs = append(legs, ledger.ShopLeg(ledger.Passes, -got.RecognisedFen), ledger.ShopLeg(ledger.Revenue, got.RecognisedFen))
			}
			_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindBenefit, BizDay: "2026-11-18", RefKind: "order", RefID: 5}, legs...)
			return err
		})
	}
	if err := use(4); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	must(t, use(2))
	r.want(p, pass.StateActive, 1, 3000)
}

// Everything that keeps a pass from being used is said in words, at the quote and again under the lock.
func TestWhyNot(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	other := r.Member("李四", "13900000002", "浙A54321")
	at := r.DB.Now
	covers := func(plate string, store int64) string {
		list, err := r.Covers(t.Context(), r.DB, pass.Ask{MemberID: m, StoreID: store, ClassID: r.Car, Plate: plate, At: at()})
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("%d covers", len(list))
		}
		return list[0].Why
	}
	p := r.sell(r.plan(r.tenWash(func(in *pass.PlanInput) {
		in.Plates, in.StoreIDs, in.PerDay, in.ValidMonths, in.ValidDays = 1, []int64{r.West}, 2, 0, 10
	})), m, sale.MethodCash, "浙A12345")
	for _, c := range []struct {
		why    string
		change func(*pass.Use)
		plate  string
		store  int64
	}{
		{"仅限 浙A12345 使用", func(u *pass.Use) { u.Plate = "浙B99999" }, "浙B99999", r.West},
		{"不能在这家门店使用", func(u *pass.Use) { u.StoreID = r.East }, "浙A12345", r.East},
	} {
		if got := covers(c.plate, c.store); got != c.why {
			t.Errorf("quote: %q, want %q", got, c.why)
		}
		if _, err := r.use(p, 1, c.change); !errors.Is(err, pass.ErrUse) || fault.As(err).Message != "「"+p.Name+"」"+c.why {
			t.Errorf("use: %v", err)
		}
	}
	if covers("浙A12345", r.West) != "" {
		t.Error("not usable")
	}
	for name, change := range map[string]func(*pass.Use){
		"another service":   func(u *pass.Use) { u.ServiceID = r.Wax },
		"somebody else's":   func(u *pass.Use) { u.MemberID = other },
		"nothing":           func(u *pass.Use) { u.Qty = 0 },
		"no such line":      func(u *pass.Use) { u.LineID = 1 },
		"more than a day's": func(u *pass.Use) { u.Qty = 3 },
	} {
		if _, err := r.use(p, 1, change); !errors.Is(err, pass.ErrUse) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := r.use(p, 2)
	must(t, err)
	if got := covers("浙A12345", r.West); got != "今天已用 2 次，每天限 2 次" {
		t.Error(got)
	}
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	r.Clock.Advance(24 * time.Hour)
	if _, err := r.use(p, 1); err != nil {
		t.Error(err)
	}
	r.Clock.Advance(10 * 24 * time.Hour) // the job has not come by: the till finds it expired all the same
	if got := covers("浙A12345", r.West); got != "已于 2026-11-28 到期" {
		t.Error(got)
	}
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	if hints, err := r.OfPlate(t.Context(), r.DB, "浙A12345"); err != nil || len(hints) != 0 {
		t.Errorf("%v %v", hints, err)
	}
}

// D09: a dearer service of the same kind is served by the included one; the till charges the difference.
func TestUpgrade(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	other, err := r.Catalog.CreateService(r.Ctx(), catalog.ServiceInput{Name: "贴膜", Kind: "film", Minutes: 60, Prices: []catalog.Price{{VehicleClassID: r.Car, PriceFen: 90000}}})
	must(t, err)
	p := r.sell(r.plan(r.tenWash(func(in *pass.PlanInput) { in.Upgrade = true })), m, sale.MethodCash, "")
	list, err := r.Covers(t.Context(), r.DB, pass.Ask{MemberID: m, StoreID: r.West, ClassID: r.Car, At: r.DB.Now()})
	must(t, err)
	if c := list[0]; !c.Upgrade || c.BaseFen != 4500 || len(c.UpgradeKinds) != 1 || c.UpgradeKinds[0] != "wash" || c.Left != 10 || c.PassID != p.ID {
		t.Errorf("%+v", c)
	}
	if _, err := r.use(p, 1, func(u *pass.Use) { u.ServiceID = r.Wax }); err != nil {
		t.Error(err)
	}
	if _, err := r.use(p, 1, func(u *pass.Use) { u.ServiceID = other.ID }); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	r.want(p, pass.StateActive, 9, 27000)
}

func TestRecharge(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(func(in *pass.PlanInput) { in.Recharge = &pass.Recharge{Times: 5, PriceFen: 12500} })), m, sale.MethodCash, "")
	_, err := r.use(p, 10)
	must(t, err)
	r.want(p, pass.StateUsed, 0, 0)
	r.Clock.Advance(30 * 24 * time.Hour)
	must(t, r.recharge(p, sale.MethodCash))
	got := r.want(p, pass.StateActive, 5, 12500)
	if pass.LastDay(got.ExpiresAt) != "2027-12-18" || got.PaidFen != 42500 {
		t.Errorf("%s %d", pass.LastDay(got.ExpiresAt), got.PaidFen)
	}
	// Times that come while others go: both are right.
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { _ = r.lockedRecharge(got) })
	}
	for range 4 {
		wg.Go(func() { r.lockedUse(got) })
	}
	wg.Wait()
	r.want(p, pass.StateActive, 5+4*5-4, r.get(p).ValueFen)
	plain := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	if err := r.recharge(plain, sale.MethodCash); !errors.Is(err, pass.ErrRecharge) {
		t.Error(err)
	}
}

var orderNo atomic.Int64

// lockedUse is use for several at once.
func (r *rig) lockedUse(p pass.Pass) {
	id := 9000 + orderNo.Add(1)
	must(r.t, r.DB.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := r.Members.StandingTx(ctx, tx, p.MemberID); err != nil {
			return err
		}
		b, err := ledger.LockTx(ctx, tx, p.MemberID, ledger.Uses)
		if err != nil {
			return err
		}
		got, err := r.UseTx(ctx, tx, b, pass.Use{OrderID: id, MemberID: p.MemberID, StoreID: r.West, LineID: p.Lines[0].ID, ServiceID: r.Wash, Qty: 1, BizDay: "2026-12-18"})
		if err != nil {
			return err
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindBenefit, BizDay: "2026-12-18", RefKind: "order", RefID: id},
			append(got.Legs, ledger.ShopLeg(ledger.Passes, -got.RecognisedFen), ledger.ShopLeg(ledger.Revenue, got.RecognisedFen))...)
		return err
	}))
}

func (r *rig) lockedRecharge(p pass.Pass) error {
	return r.DB.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := r.Sales.BeginTx(ctx, tx, sale.Buy{Kind: pass.SaleRecharge, SubjectID: p.ID, MemberID: p.MemberID, StoreID: r.West}, sale.Pay{Method: sale.MethodCash})
		return err
	})
}

// The stock of a plan, and what one member may have, hold under a stampede; what nobody paid for goes back.
func TestStockAndPerMember(t *testing.T) {
	r := newRig(t)
	stock := int64(3)
	plan := r.plan(r.tenWash(func(in *pass.PlanInput) { in.Stock, in.PerMember = &stock, 1 }))
	var members []int64
	for i := range 6 {
		members = append(members, r.Member("会员", "1380000000"+string(rune('0'+i)), ""))
	}
	var wg sync.WaitGroup
	var sold, out, many atomic.Int64
	for _, m := range members {
		for range 2 {
			ctx := r.owner(m)
			k, _ := idem.From(ctx)
			wg.Go(func() {
				_, err := func() (x sale.Sale, err error) {
					err = r.DB.InTx(idem.With(t.Context(), k), func(ctx context.Context, tx *db.Tx) error {
						x, err = r.Sales.BeginTx(ctx, tx, sale.Buy{Kind: pass.SalePass, SubjectID: plan.ID, MemberID: m, StoreID: r.West}, sale.Pay{Method: sale.MethodCash})
						return err
					})
					return x, err
				}()
				switch {
				case err == nil:
					sold.Add(1)
				case errors.Is(err, pass.ErrSoldOut) || errors.Is(err, pass.ErrPlan):
					out.Add(1)
				case errors.Is(err, pass.ErrMany):
					many.Add(1)
				default:
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if sold.Load() != 3 || sold.Load()+out.Load()+many.Load() != 12 {
		t.Errorf("%d sold, %d sold out, %d refused", sold.Load(), out.Load(), many.Load())
	}
	all, err := r.Plans(t.Context())
	must(t, err)
	if all[0].Sold != 3 {
		t.Errorf("%+v", all[0])
	}
	r.exact()
}

// N17: a second purchase is a pass of its own; the ended one stays ended.
func TestN17EachPurchaseIsItsOwn(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	plan := r.plan(r.tenWash(func(in *pass.PlanInput) { in.ValidMonths, in.ValidDays = 0, 5 }))
	first := r.sell(plan, m, sale.MethodCash, "")
	r.passes(6 * 24 * time.Hour)
	second := r.sell(plan, m, sale.MethodCash, "")
	r.want(first, pass.StateExpired, 0, 0)
	r.want(second, pass.StateActive, 10, 30000)
	if _, err := r.use(first, 1); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	if _, err := r.use(second, 1); err != nil {
		t.Error(err)
	}
}

// X02: what was sold keeps its terms, whatever becomes of the plan.
func TestX02EditedPlanLeavesSoldPassesAlone(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	in := r.tenWash(func(in *pass.PlanInput) { in.Giftable = true })
	plan := r.plan(in)
	p := r.sell(plan, m, sale.MethodCash, "")
	in.Name, in.Giftable, in.PriceFen, in.OnSale, in.ValidMonths, in.Lines =
		"改名", false, 40000, false, 1, []pass.PlanLine{{ServiceIDs: []int64{r.Wax}, Times: 10, ListFen: 20000}}
	_, err := r.UpdatePlan(r.Ctx(), plan.ID, in)
	must(t, err)
	got := r.want(p, pass.StateActive, 10, 30000)
	if got.Name != plan.Name || !got.Terms.Giftable || got.Terms.PriceFen != 30000 || got.Lines[0].ListFen != 4500 || !got.ExpiresAt.Equal(p.ExpiresAt) {
		t.Errorf("%+v", got)
	}
	if _, err := r.use(p, 1); err != nil {
		t.Error(err)
	}
	if _, err := r.try(plan, m, sale.MethodCash, ""); !errors.Is(err, pass.ErrPlan) {
		t.Error(err)
	}
}

func TestGiveIsOnceAndFree(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	plan := r.plan(r.tenWash(func(in *pass.PlanInput) { in.Giftable, in.Plates = true, 1 }))
	give := func() (id int64) {
		must(t, r.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
			id, err = r.GiveTx(ctx, tx, pass.Gift{PlanID: plan.ID, MemberID: m, Dedupe: "birthday:1", Why: "生日礼"})
			return err
		}))
		return id
	}
	a, b := give(), give()
	if a != b {
		t.Error("given twice")
	}
	p := r.want(pass.Pass{ID: a}, pass.StateActive, 10, 0)
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Errorf("without a plate: %v", err)
	}
	_, err := r.Plate(r.owner(m), m, a, "浙a12345", "")
	must(t, err)
	_, err = r.use(p, 1)
	must(t, err)
	r.want(p, pass.StateActive, 9, 0)
	if _, err := r.RefundPlanFor(t.Context(), m, a, pass.FaultShop); !errors.Is(err, pass.ErrRefund) {
		t.Error(err)
	}
	if _, err := r.Gift(r.owner(m), m, a); !errors.Is(err, pass.ErrNoGift) {
		t.Error(err)
	}
}

func TestBoughtWithStoredValue(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	p := r.sell(r.plan(r.tenWash()), m, sale.MethodBalance, "")
	_, err := r.use(p, 3)
	must(t, err)
	plan := r.refund(p, pass.FaultShop)
	if plan.RefundFen != 21000 || plan.BonusFen != 2897 {
		t.Errorf("%+v", plan)
	}
	r.want(p, pass.StateRefunded, 0, 0)
	b, err := ledger.BalanceOf(t.Context(), r.DB, m)
	must(t, err)
	if b.Principal+b.Bonus != 58000-9000 || b.Bonus != 8000-4138+2897 {
		t.Errorf("%+v", b)
	}
	only := r.plan(r.tenWash(func(in *pass.PlanInput) { in.FromBalance = false }))
	if _, err := r.try(only, m, sale.MethodBalance, ""); !errors.Is(err, sale.ErrBalance) {
		t.Error(err)
	}
}
