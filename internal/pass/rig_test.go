package pass_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/sale"
)

// rig is a business that sells passes.
type rig struct {
	*shopfloor.Floor
	*pass.Service
	Sales  *sale.Service
	t      *testing.T
	orders int64
	keys   int
	posted map[int64][2]int64
}

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error)         { return "", "", nil }

func newRig(t *testing.T) *rig {
	t.Helper()
	f := shopfloor.New(t)
	quiet := slog.New(slog.DiscardHandler)
	q := jobs.New(f.DB, quiet)
	sales := sale.New(f.DB, quiet, f.Members, payment.New(f.DB, q, nil, quiet), f.Shops, f.Settings)
	messages := notify.New(f.DB, q, nobody{}, nil, f.Settings, notify.Options{})
	return &rig{Floor: f, t: t, posted: map[int64][2]int64{}, Sales: sales, Service: pass.New(pass.Deps{DB: f.DB, Log: quiet, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings,
		Messages: messages, Sales: sales})}
}

func must(t testing.TB, err error) { t.Helper(); shopfloor.Must(t, err) }

// tenWash is ten washes for 300.00, 45.00 each one by one.
func (r *rig) tenWash(change ...func(*pass.PlanInput)) pass.PlanInput {
	r.keys++
	in := pass.PlanInput{Offer: pass.Offer{Name: fmt.Sprintf("洗车十次卡%d", r.keys), Kind: pass.KindTimes, PriceFen: 30000, ValidMonths: 12, FromBalance: true,
		Lines: []pass.PlanLine{{ServiceIDs: []int64{r.Wash}, Times: 10, ListFen: 4500}}}, OnSale: true}
	for _, f := range change {
		f(&in)
	}
	return in
}

func (r *rig) plan(in pass.PlanInput) pass.Plan {
	r.t.Helper()
	p, err := r.CreatePlan(r.Ctx(), in)
	must(r.t, err)
	return p
}

func (r *rig) try(plan pass.Plan, m int64, method, plate string) (pass.Pass, error) {
	x, _, err := r.Sales.Begin(r.Ctx(), sale.Buy{Kind: pass.SalePass, SubjectID: plan.ID, MemberID: m, StoreID: r.West, Plate: plate}, sale.Pay{Method: method, Reference: "r"})
	if err != nil {
		return pass.Pass{}, err
	}
	return r.Pass(r.t.Context(), m, x.ResultID)
}

// sell sells a pass at the western desk.
func (r *rig) sell(plan pass.Plan, m int64, method, plate string) pass.Pass {
	r.t.Helper()
	p, err := r.try(plan, m, method, plate)
	must(r.t, err)
	return p
}

func (r *rig) recharge(p pass.Pass, method string) error {
	_, _, err := r.Sales.Begin(r.Ctx(), sale.Buy{Kind: pass.SaleRecharge, SubjectID: p.ID, MemberID: p.MemberID, StoreID: r.West}, sale.Pay{Method: method, Reference: "r"})
	return err
}

// use uses a line as a till does: the uses at once, then the money of an order whose total is zero.
func (r *rig) use(p pass.Pass, qty int64, change ...func(*pass.Use)) (order int64, err error) {
	r.orders++
	order = r.orders
	u := pass.Use{OrderID: order, MemberID: p.MemberID, StoreID: r.West, LineID: p.Lines[0].ID, ServiceID: r.Wash, Qty: qty, Plate: "浙A12345", BizDay: bizday.Of(r.DB.Now(), "")}
	for _, f := range change {
		f(&u)
	}
	var ids [2]int64
	err = r.DB.InTx(actor.With(r.t.Context(), r.Staff()), func(ctx context.Context, tx *db.Tx) error {
		if _, err := r.Members.StandingTx(ctx, tx, u.MemberID); err != nil {
			return err
		}
		b, err := ledger.LockTx(ctx, tx, u.MemberID, ledger.Uses)
		if err != nil {
			return err
		}
		got, err := r.UseTx(ctx, tx, b, u)
		if err != nil {
			return err
		}
		post := ledger.Post{Kind: ledger.KindBenefit, StoreID: u.StoreID, BizDay: u.BizDay, RefKind: "order", RefID: u.OrderID, Title: "精洗"}
		ids = [2]int64{}
		if len(got.Legs) > 0 {
			if ids[0], err = ledger.PostTx(ctx, tx, b, post, got.Legs...); err != nil {
				return err
			}
		}
		post.Kind = ledger.KindConsume
		ids[1], err = ledger.PostTx(ctx, tx, &ledger.Book{MemberID: u.MemberID}, post, ledger.ShopLeg(ledger.Passes, -got.RecognisedFen), ledger.ShopLeg(ledger.Revenue, got.RecognisedFen))
		return err
	})
	if err == nil {
		r.posted[order] = ids
	}
	return order, err
}

// undo takes an order back, as a reversal does.
func (r *rig) undo(order, m int64) error {
	return r.DB.InTx(actor.With(r.t.Context(), r.Staff()), func(ctx context.Context, tx *db.Tx) error {
		if _, err := r.Members.StandingTx(ctx, tx, m); err != nil {
			return err
		}
		if err := r.UndoTx(ctx, tx, order); err != nil {
			return err
		}
		b, err := ledger.LockTx(ctx, tx, m, ledger.Uses)
		if err != nil {
			return err
		}
		for _, id := range r.posted[order] {
			if id == 0 {
				continue
			}
			if _, err := ledger.ReverseTx(ctx, tx, b, id, ledger.Post{Kind: ledger.KindReversal, RefKind: "order", RefID: order, BizDay: "2026-11-18"}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *rig) get(p pass.Pass) pass.Pass {
	r.t.Helper()
	got, err := r.Pass(r.t.Context(), 0, p.ID)
	must(r.t, err)
	return got
}

// want checks state, count of the first line and value, and every book.
func (r *rig) want(p pass.Pass, state string, left int64, value money.Fen) pass.Pass {
	r.t.Helper()
	got := r.get(p)
	if got.State != state || got.Lines[0].Left != left || got.ValueFen != value {
		r.t.Errorf("%s: %d left, worth %d, want %s %d %d", got.State, got.Lines[0].Left, got.ValueFen, state, left, value)
	}
	r.exact()
	return got
}

// exact fails unless the journal, the sales and the passes agree: uses in lots, and what passes owe.
func (r *rig) exact() {
	r.t.Helper()
	var out []string
	say := func(p string) { out = append(out, p) }
	must(r.t, ledger.Audit(r.t.Context(), r.DB, say, func(int) {}))
	must(r.t, r.Sales.Audit(r.t.Context(), say))
	must(r.t, r.Service.Audit(r.t.Context(), say))
	must(r.t, r.Wallet.Audit(r.t.Context(), say))
	var odd []int64
	must(r.t, r.DB.Select(r.t.Context(), &odd, `SELECT l.id FROM pass_lines l JOIN pass_passes p ON p.id = l.pass_id LEFT JOIN ledger_lots x ON x.ref_kind = 'pass_line' AND x.ref_id = l.id
		AND x.member_id = p.member_id WHERE l.counted GROUP BY l.id, l.left_uses HAVING COALESCE(SUM(x.remaining), 0) <> l.left_uses`))
	for _, id := range odd {
		say(fmt.Sprintf("line %d: its lots hold something else", id))
	}
	var owed, value int64
	must(r.t, r.DB.Get(r.t.Context(), &owed, `SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = 'passes'`))
	must(r.t, r.DB.Get(r.t.Context(), &value, `SELECT COALESCE(SUM(value_fen), 0) FROM pass_passes WHERE state <> 'pending'`))
	if owed != value {
		say(fmt.Sprintf("passes owe %d in the journal and %d by themselves", owed, value))
	}
	if len(out) > 0 {
		r.t.Errorf("audit: %s", strings.Join(out, "\n"))
	}
}

func (r *rig) account(name string) (n int64) {
	r.t.Helper()
	must(r.t, r.DB.Get(r.t.Context(), &n, `SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = ?`, name))
	return n
}

func (r *rig) messages(event string) (n int64) {
	r.t.Helper()
	must(r.t, r.DB.Get(r.t.Context(), &n, `SELECT COUNT(*) FROM notify_messages WHERE event = ?`, event))
	return n
}

// owner is the member's context.
func (r *rig) owner(m int64) context.Context {
	r.keys++
	return idem.With(actor.With(r.t.Context(), r.Owner(m)), idem.Key{Actor: fmt.Sprintf("owner:%d", m), Key: fmt.Sprintf("owner-%06d", r.keys), Hash: "x"})
}

// pass moves the clock and lets time do what it does.
func (r *rig) passes(d time.Duration) {
	r.t.Helper()
	r.Clock.Advance(d)
	must(r.t, r.Tick(r.t.Context()))
}

func (r *rig) refund(p pass.Pass, whose string) pass.RefundPlan {
	r.t.Helper()
	plan, err := r.RefundPlanFor(r.t.Context(), 0, p.ID, whose)
	must(r.t, err)
	done, err := r.Service.Refund(r.Ctx(), p.ID, r.West, whose, "顾客申请", plan.PlanHash)
	must(r.t, err)
	return done
}
