package pass_test

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

// The whole life of a pass through the operations, as owner, desk and manager.
func TestOperations(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	api := apitest.New(t, r.Service.Routes, r.Sales.Routes)
	owner, staff := api.As(r.Owner(m)), api.As(r.Staff())
	var plan pass.Plan
	staff.OK(http.MethodPost, "/api/console/pass-plans", r.tenWash(), &plan)
	if plan.Lines[0].Title != "精洗" {
		t.Errorf("%+v", plan)
	}
	var plans httpapi.Page[pass.PlanView]
	owner.OK(http.MethodGet, "/api/owner/pass-plans", nil, &plans)
	if len(plans.Items) != 1 || plans.Items[0].ListFen != 45000 || len(plans.Items[0].Explain) == 0 {
		t.Errorf("%+v", plans)
	}
	var started sale.Started
	owner.OK(http.MethodPost, "/api/owner/passes", pass.OwnerBuyAsk{PlanID: plan.ID, Pay: sale.MethodBalance}, &started, "Idempotency-Key", "buy-000001")
	if started.State != sale.StatePaid || started.ResultID == 0 {
		t.Errorf("%+v", started)
	}
	at := "/api/owner/passes/" + strconv.FormatInt(started.ResultID, 10)
	var d pass.Detail
	owner.OK(http.MethodGet, at, nil, &d)
	if d.Terms.PriceFen != 30000 || d.Lines[0].Left != 10 || d.LastDay != "2027-11-18" || !d.CanRefund || len(d.Events) != 1 {
		t.Errorf("%+v", d)
	}
	var estimate pass.RefundPlan
	owner.OK(http.MethodGet, at+"/refund-plan", nil, &estimate)
	if estimate.Rule != pass.RuleCoolOff || estimate.RefundFen != 30000 {
		t.Errorf("%+v", estimate)
	}
	var desk sale.Started
	staff.OK(http.MethodPost, "/api/staff/passes", pass.DeskBuyAsk{StoreID: r.West, MemberID: m, PlanID: plan.ID, Tender: sale.MethodCash}, &desk, "Idempotency-Key", "sell-000001")
	var list httpapi.Page[pass.View]
	staff.OK(http.MethodGet, "/api/staff/passes?memberId="+strconv.FormatInt(m, 10), nil, &list)
	if len(list.Items) != 2 || desk.Method != sale.MethodCash {
		t.Errorf("%+v", list)
	}
	console := "/api/console/passes/" + strconv.FormatInt(desk.ResultID, 10)
	var record pass.RecordDetail
	staff.OK(http.MethodPost, console+"/extend", pass.ExtendAsk{Days: 30, Reason: "补偿"}, &record)
	if record.LastDay != "2027-12-18" || record.MemberName == "" || record.StoreName != "西湖店" {
		t.Errorf("%+v", record)
	}
	staff.OK(http.MethodGet, console+"/refund-plan?fault=shop", nil, &estimate)
	staff.OK(http.MethodPost, console+"/refund", pass.RefundAsk{Fault: pass.FaultShop, Reason: "门店搬迁", PlanHash: estimate.PlanHash}, &estimate, "Idempotency-Key", "refund-000001")
	var page httpapi.Page[pass.Record]
	staff.OK(http.MethodGet, "/api/console/passes?status=refunded", nil, &page)
	if len(page.Items) != 1 || page.Items[0].ID != desk.ResultID {
		t.Errorf("%+v", page)
	}
	staff.OK(http.MethodGet, "/api/console/passes?q="+record.No, nil, &page)
	if len(page.Items) != 1 {
		t.Errorf("%+v", page)
	}
	var sales httpapi.Page[sale.Record]
	staff.OK(http.MethodGet, "/api/console/sales?memberId="+strconv.FormatInt(m, 10), nil, &sales)
	if len(sales.Items) != 2 || len(sales.Items[0].Refunds) != 1 {
		t.Errorf("%+v", sales)
	}
	stranger := r.Member("李四", "13900000002", "")
	for _, path := range []string{at, at + "/refund-plan", "/api/owner/sales/" + strconv.FormatInt(started.SaleID, 10)} {
		if a := api.As(r.Owner(stranger)).Do(http.MethodGet, path, nil); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	r.exact()
}

// A refund by two managers at once, and one beside a use, happens once and gives back what is right.
func TestN10RefundEndsThePassOnce(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	_, err := r.use(p, 3)
	must(t, err)
	plan, err := r.RefundPlanFor(t.Context(), 0, p.ID, pass.FaultCustomer)
	must(t, err)
	var wg sync.WaitGroup
	var done, refused atomic.Int64
	for range 4 {
		ctx := r.Ctx()
		wg.Go(func() {
			switch _, err := r.Service.Refund(ctx, p.ID, r.West, pass.FaultCustomer, "顾客申请", plan.PlanHash); {
			case err == nil:
				done.Add(1)
			case errors.Is(err, pass.ErrState):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || refused.Load() != 3 {
		t.Errorf("%d done, %d refused", done.Load(), refused.Load())
	}
	r.want(p, pass.StateRefunded, 0, 0)
	if r.account(ledger.Cash) != -13500 || r.account(ledger.Revenue) != 13500 || r.account(ledger.Passes) != 0 {
		t.Errorf("cash %d, revenue %d, passes %d", r.account(ledger.Cash), r.account(ledger.Revenue), r.account(ledger.Passes))
	}
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) { // N10: a refund ends it
		t.Error(err)
	}
	q := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	plan, err = r.RefundPlanFor(t.Context(), 0, q.ID, pass.FaultShop)
	must(t, err)
	_, err = r.use(q, 1)
	must(t, err)
	_, err = r.Service.Refund(r.Ctx(), q.ID, r.West, pass.FaultShop, "顾客申请", plan.PlanHash)
	if got, ok := fault.As(err).Detail.(map[string]any)["plan"].(pass.RefundPlan); !errors.Is(err, pass.ErrChanged) || !ok || got.RefundFen != 27000 {
		t.Errorf("%v %+v", err, got)
	}
	if _, err := r.Service.Refund(r.Ctx(), q.ID, 99, pass.FaultShop, "别的门店", plan.PlanHash); err == nil {
		t.Error("refunded in a store that is none")
	}
}

// Who leaves is owed the passes too.
func TestOwed(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(thirtyDays)), m, sale.MethodCash, "")
	_, err := r.use(p, 1)
	must(t, err)
	if n, err := r.Owed(t.Context(), m); err != nil || n != 27000 {
		t.Errorf("%d %v", n, err)
	}
	r.passes(40 * 24 * time.Hour)
	if n, err := r.Owed(t.Context(), m); err != nil || n != 0 {
		t.Errorf("%d %v", n, err)
	}
}
