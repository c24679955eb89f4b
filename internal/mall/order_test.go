package mall

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func TestExchangeCollectCancel(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Stock: 5, PerMember: 3})
	m := r.join(1000)
	o := r.ordered(m, r.ask(i, 2))
	if o.State != Ready || o.Points != 200 || r.has(m) != 800 || r.stock(i) != 3 {
		t.Fatalf("%+v, %d points, stock %d", o, r.has(m), r.stock(i))
	}
	code := r.code(o)
	if len(code) != 10 || strings.Contains(o.code, code) {
		t.Fatal("the pickup code: ", code)
	}
	var sent int
	must(t, r.db.Get(t.Context(), &sent, `SELECT COUNT(*) FROM notify_messages WHERE event = 'mall_ready'`))
	if sent != 1 {
		t.Errorf("%d messages", sent)
	}
	_, err := r.Find(r.desk(r.store), "1234567890")
	r.wantErr(err, ErrCode)
	_, err = r.Find(r.desk(r.other), code)
	r.wantErr(err, ErrStore)
	found, err := r.Find(r.desk(r.store), code[:4]+" "+code[4:])
	if err != nil || found.ID != o.ID {
		t.Fatal(found, err)
	}
	for _, bad := range []string{"", "0000000000", code[:9]} {
		_, err = r.Deliver(r.desk(r.store), o.ID, bad)
		r.wantErr(err, ErrCode)
	}
	_, err = r.Deliver(r.desk(r.other), o.ID, code)
	r.wantErr(err, ErrStore)
	// Twenty tills scan at once: it is handed out once.
	var done atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := r.Deliver(r.desk(r.store), o.ID, code); err == nil {
				done.Add(1)
			} else if !errors.Is(err, ErrState) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 {
		t.Errorf("handed out %d times", done.Load())
	}
	got := r.state(o, Collected)
	if got.StaffName != "李前台" || r.code(got) != "" {
		t.Errorf("%+v", got)
	}
	_, err = r.Cancel(r.owner(m), m, o.ID, "不要了")
	r.wantErr(err, ErrState)
	// What is cancelled, by the owner and by the shop at once, comes back once.
	o2 := r.ordered(m, r.ask(i, 1))
	_, _, err = r.Order(r.owner(m), m, r.ask(i, 1))
	if f := r.wantErr(err, ErrLimit); !strings.Contains(f.Message, "还能兑 0 件") {
		t.Error(f.Message)
	}
	done.Store(0)
	for n := range 16 {
		wg.Go(func() {
			ctx, who := r.owner(m), m
			if n%2 == 1 {
				ctx, who = r.staff(), 0
			}
			if _, err := r.Cancel(ctx, who, o2.ID, "不要了"); err == nil {
				done.Add(1)
			} else if !errors.Is(err, ErrState) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || r.has(m) != 800 || r.stock(i) != 3 {
		t.Errorf("cancelled %d times, %d points, stock %d", done.Load(), r.has(m), r.stock(i))
	}
	_, err = r.Deliver(r.desk(r.store), o2.ID, r.code(o2))
	r.wantErr(err, ErrCode)
	r.ordered(m, r.ask(i, 1)) // the limit counts what is kept
	if _, err := r.Get(t.Context(), r.join(0), o.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Error("somebody else's order: ", err)
	}
	r.exact()
}

func TestN34StockIsNeverBelowZero(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Stock: 10})
	var members []int64
	for range 30 {
		members = append(members, r.join(1000))
	}
	var got, gone atomic.Int64
	var wg sync.WaitGroup
	for _, m := range members {
		wg.Go(func() {
			_, _, err := r.Order(r.owner(m), m, r.ask(i, 1))
			switch {
			case err == nil:
				got.Add(1)
			case errors.Is(err, ErrStock):
				gone.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var points int64
	for _, m := range members {
		points += r.has(m)
	}
	if got.Load() != 10 || gone.Load() != 20 || r.stock(i) != 0 || points != 30*1000-10*100 {
		t.Errorf("%d got one, %d did not, stock %d, %d points left", got.Load(), gone.Load(), r.stock(i), points)
	}
	_, err := r.ChangeStock(r.staff(), i.ID, StockChange{-1, "盘点"})
	r.wantErr(err, ErrStock)
	after, err := r.ChangeStock(r.staff(), i.ID, StockChange{1, "到货"})
	if err != nil || after.Stock != 1 {
		t.Error(after, err)
	}
	_, _, err = r.Order(r.owner(members[0]), members[0], r.ask(i, 2))
	if f := r.wantErr(err, ErrStock); len(f.Fields) != 1 || f.Fields[0].Field != "qty" || !strings.Contains(f.Message, "只剩 1 件") {
		t.Error(f)
	}
	r.exact()
}

func TestLimitPointsAndTheSameKey(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Stock: 100, PerMember: 4})
	m := r.join(250)
	var got atomic.Int64
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, _, err := r.Order(r.owner(m), m, r.ask(i, 1))
			if err == nil {
				got.Add(1)
			} else if !errors.Is(err, points.ErrInsufficient) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 2 || r.has(m) != 50 || r.stock(i) != 98 {
		t.Errorf("%d orders, %d points, stock %d", got.Load(), r.has(m), r.stock(i))
	}
	rich := r.join(5000)
	got.Store(0)
	for range 10 {
		wg.Go(func() {
			_, _, err := r.Order(r.owner(rich), rich, r.ask(i, 1))
			if err == nil {
				got.Add(1)
			} else if !errors.Is(err, ErrLimit) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 4 || r.stock(i) != 94 {
		t.Errorf("%d orders, stock %d", got.Load(), r.stock(i))
	}
	third := r.join(5000)
	ctx := r.owner(third)
	a, _, err := r.Order(ctx, third, r.ask(i, 1))
	must(t, err)
	b, _, err := r.Order(ctx, third, r.ask(i, 1))
	if err != nil || a.ID != b.ID || r.has(third) != 4900 {
		t.Error(a.ID, b.ID, err)
	}
	r.exact()
}

func TestWhoMayHaveWhat(t *testing.T) {
	r := newRig(t)
	m := r.join(1000)
	end := r.clk.Now().Add(time.Hour)
	i := r.item(ItemInput{Stock: 5, MinTierID: r.gold, SaleTo: &end})
	_, _, err := r.Order(r.owner(m), m, r.ask(i, 1))
	if f := r.wantErr(err, ErrTier); !strings.Contains(f.Message, "金卡") {
		t.Error(f.Message)
	}
	offers, err := r.offers(t.Context(), m, []Item{i})
	if err != nil || offers[0].Why != "金卡及以上可兑" {
		t.Error(offers, err)
	}
	must(t, r.db.InTx(r.staff(), func(ctx context.Context, tx *db.Tx) error {
		return r.Tiers.SetMemberTierTx(ctx, tx, m, r.gold, "测试")
	}))
	cheap := r.ask(i, 1)
	cheap.Points = 1
	_, _, err = r.Order(r.owner(m), m, cheap)
	r.wantErr(err, ErrChanged)
	no := r.ask(i, 1)
	no.StoreID = 0
	_, _, err = r.Order(r.owner(m), m, no)
	if f := r.wantErr(err, fault.ErrInvalid); f.Fields[0].Field != "storeId" {
		t.Error(f)
	}
	send := r.ask(i, 1)
	send.Delivery, send.Address = Ship, &Address{"王", "13800000000", "上海市静安区江宁路 1 号"}
	_, _, err = r.Order(r.owner(m), m, send)
	if f := r.wantErr(err, fault.ErrInvalid); f.Fields[0].Field != "delivery" {
		t.Error(f)
	}
	r.ordered(m, r.ask(i, 1))
	r.clk.Set(end)
	_, _, err = r.Order(r.owner(m), m, r.ask(i, 1))
	r.wantErr(err, ErrClosed)
	_, err = r.SaveItem(r.staff(), i.ID, ItemInput{Name: "脚垫", Kind: KindGood, Points: 100, Active: new(bool)})
	must(t, err)
	_, _, err = r.Order(r.owner(m), m, r.ask(i, 1))
	r.wantErr(err, ErrClosed)
	poor := r.join(5)
	open := r.item(ItemInput{Name: "香薰", Stock: 1})
	_, _, err = r.Order(r.owner(poor), poor, r.ask(open, 1))
	r.wantErr(err, points.ErrInsufficient)
	must(t, r.Members.Suspend(r.staff(), m, "欠款"))
	if _, _, err = r.Order(r.owner(m), m, r.ask(open, 1)); err == nil {
		t.Error("a suspended member ordered")
	}
	low, err := lowItems(t.Context(), r.db)
	if err != nil || len(low) != 0 {
		t.Error(low, err)
	}
	_, err = r.ChangeStock(r.staff(), open.ID, StockChange{-1, "破损"})
	must(t, err)
	if low, err = lowItems(t.Context(), r.db); err != nil || len(low) != 1 || low[0].ID != open.ID {
		t.Error(low, err)
	}
	r.exact()
}

func TestVouchersAreGivenAtOnce(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Name: "洗车券", Kind: KindService, SubjectID: 7, Stock: 5})
	m := r.join(1000)
	o := r.ordered(m, r.ask(i, 3))
	if o.State != Collected || o.Delivery != Auto || r.stock(i) != 2 || r.has(m) != 700 {
		t.Errorf("%+v", o)
	}
	var n int64
	must(t, r.db.Get(t.Context(), &n, `SELECT ended_at FROM campaign_gifts WHERE source = 'mall' AND ref_id = ?`, o.ID))
	if n != 3 {
		t.Errorf("%d vouchers", n)
	}
	_, err := r.Cancel(r.owner(m), m, o.ID, "不要了")
	r.wantErr(err, ErrState)
	r.exact()
}

func TestShipping(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Stock: 5, Ship: true})
	m := r.join(1000)
	a := r.ask(i, 1)
	a.Delivery = Ship
	_, _, err := r.Order(r.owner(m), m, a)
	r.wantErr(err, ErrShip)
	a.Address = &Address{"", "123", "短"}
	_, _, err = r.Order(r.owner(m), m, a)
	if f := r.wantErr(err, ErrShip); len(f.Fields) != 3 {
		t.Error(f.Fields)
	}
	a.Address = &Address{"王小明", "138 0000 0000", "上海市静安区江宁路 1 号 2 室"}
	o := r.ordered(m, a)
	if o.State != Ready || o.StoreID != 0 || strings.Contains(o.address, "江宁路") || o.address == "" {
		t.Fatalf("%+v", o)
	}
	v, err := r.own(t.Context(), o)
	if err != nil || v.Address.Phone != "13800000000" || v.PickupCode != "" {
		t.Error(v, err)
	}
	before := r.trail("mall_order.address")
	d, err := r.sender(r.staff(), o, nil)
	if err != nil || d.Address == nil || d.Address.Address != "上海市静安区江宁路 1 号 2 室" || r.trail("mall_order.address") != before+1 {
		t.Error(d, err)
	}
	d, err = r.sender(r.desk(r.store), o, nil)
	if err != nil || d.Address != nil {
		t.Error("shown to who does not send it", err)
	}
	_, err = r.Deliver(r.staff(), o.ID, "1234567890")
	r.wantErr(err, ErrCode)
	o, err = r.Send(r.staff(), o.ID, Parcel{"顺丰", "SF1234567"})
	if err != nil || o.State != Shipped {
		t.Fatal(o, err)
	}
	o, err = r.Send(r.staff(), o.ID, Parcel{"顺丰", "SF7654321"})
	if err != nil || o.TrackingNo != "SF7654321" {
		t.Fatal(o, err)
	}
	_, err = r.Cancel(r.staff(), 0, o.ID, "退回")
	r.wantErr(err, ErrState)
	must(t, r.db.InTx(r.staff(), func(ctx context.Context, tx *db.Tx) error { return r.EraseTx(ctx, tx, m) }))
	if o = r.state(o, Shipped); o.address != "" {
		t.Error("the address stayed")
	}
	_, err = r.Send(r.staff(), r.ordered(m, r.ask(i, 1)).ID, Parcel{"顺丰", "SF1234567"})
	r.wantErr(err, ErrState)
	r.exact()
}

func (r *rig) trail(action string) (n int) {
	r.t.Helper()
	must(r.t, r.db.Get(r.t.Context(), &n, `SELECT COUNT(*) FROM audit_log WHERE action = ?`, action))
	return n
}

func (r *rig) sum(account string) (n int64) {
	r.t.Helper()
	must(r.t, r.db.Get(r.t.Context(), &n, `SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = ?`, account))
	return n
}

func TestMoneyByWeChat(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Stock: 3, MoneyFen: 4900, Ship: true})
	m := r.join(1000)
	a := r.ask(i, 1)
	ctx := r.owner(m)
	o, prep, err := r.Order(ctx, m, a)
	must(t, err)
	if o.State != Pending || prep.Jsapi == nil || r.has(m) != 900 || r.stock(i) != 2 || o.SaleID == 0 {
		t.Fatalf("%+v", o)
	}
	again, _, err := r.Order(ctx, m, a)
	if err != nil || again.ID != o.ID || r.stock(i) != 2 {
		t.Fatal("the same key: ", again, err)
	}
	// Given up: all comes back.
	o, err = r.Cancel(r.owner(m), m, o.ID, "不要了")
	if err != nil || o.State != Cancelled || r.has(m) != 1000 || r.stock(i) != 3 {
		t.Fatal(o, err)
	}
	// Never paid: the payment's expiry gives it back.
	o, _, err = r.Order(r.owner(m), m, a)
	must(t, err)
	r.clk.Advance(2 * time.Hour)
	for range 5 {
		must(t, r.queue.Drain(t.Context()))
		_, err = r.Sales.Check(t.Context(), m, o.SaleID)
		must(t, err)
		r.clk.Advance(10 * time.Minute)
	}
	r.state(o, Cancelled)
	if r.has(m) != 1000 || r.stock(i) != 3 {
		t.Fatalf("%d points, stock %d", r.has(m), r.stock(i))
	}
	// Paid: ready. Cancelled: points, stock and money come back, the money to WeChat.
	a.Delivery, a.Address = Ship, &Address{"王小明", "13800000000", "上海市静安区江宁路 1 号"}
	o, _, err = r.Order(r.owner(m), m, a)
	must(t, err)
	var data string
	must(t, r.db.Get(t.Context(), &data, `SELECT data FROM sale_sales WHERE id = ?`, o.SaleID))
	if strings.Contains(data, "江宁路") || strings.Contains(data, "13800000000") {
		t.Error("the address lies open in the sale: ", data)
	}
	r.paid(o)
	o = r.state(o, Ready)
	if v, err := r.own(t.Context(), o); err != nil || v.Address == nil || r.sum(ledger.Revenue) != 4900 || r.sum(ledger.WeChat) != -4900 {
		t.Fatal(v, err)
	}
	_, err = r.Cancel(r.staff(), 0, o.ID, "缺货")
	must(t, err)
	r.state(o, Cancelled)
	if r.has(m) != 1000 || r.stock(i) != 3 || r.sum(ledger.Revenue) != 0 || r.sum(ledger.WeChat) != 0 {
		t.Errorf("%d points, stock %d, revenue %d, wechat %d", r.has(m), r.stock(i), r.sum(ledger.Revenue), r.sum(ledger.WeChat))
	}
	_, err = r.Cancel(r.staff(), 0, o.ID, "缺货")
	r.wantErr(err, ErrState)
	for range 5 {
		must(t, r.queue.Drain(t.Context()))
		r.clk.Advance(time.Minute)
	}
	r.exact()
}

// N06: what was paid and cannot be given any more, because a limit was reached or the coupon was stopped meanwhile, goes back whole: money, points
// and stock. Nothing of it is half given.
func TestPaidAndCannotBeGiven(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Name: "洗车券", Kind: KindService, SubjectID: 7, Stock: 5, MoneyFen: 900})
	m := r.join(1000)
	o, _, err := r.Order(r.owner(m), m, r.ask(i, 2))
	must(t, err)
	r.over.Store(true)
	r.paid(o)
	r.state(o, Cancelled)
	x, err := r.Sales.Sale(t.Context(), m, o.SaleID)
	must(t, err)
	p, err := r.pay.Get(t.Context(), r.db, x.PaymentID)
	must(t, err)
	if x.State != sale.StateClosed || p.State != payment.StateSurplus || r.has(m) != 1000 || r.stock(i) != 5 || r.sum(ledger.Revenue) != 0 {
		t.Errorf("sale %s, payment %s, %d points, stock %d, revenue %d", x.State, p.State, r.has(m), r.stock(i), r.sum(ledger.Revenue))
	}
	var n int
	must(t, r.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM campaign_gifts`))
	if n != 0 {
		t.Errorf("%d gifts", n)
	}
	for range 5 {
		must(t, r.queue.Drain(t.Context()))
		r.clk.Advance(time.Minute)
	}
	r.exact()
}

// N08: a retry gets its order again, also when the store has closed or the gift changed since.
func TestN08RetryAfterTheStoreClosed(t *testing.T) {
	r := newRig(t)
	m := r.join(1000)
	free, paid := r.ask(r.item(ItemInput{Stock: 5}), 1), r.ask(r.item(ItemInput{Name: "毛巾", Stock: 5, MoneyFen: 900}), 1)
	freeCtx, paidCtx := r.owner(m), r.owner(m)
	a, _, err := r.Order(freeCtx, m, free)
	must(t, err)
	b, _, err := r.Order(paidCtx, m, paid)
	must(t, err)
	no := false
	_, err = r.Shops.Update(r.staff(), r.store, shop.Input{Name: "静安店", Active: &no})
	must(t, err)
	r.clk.Advance(time.Minute)
	if again, _, err := r.Order(freeCtx, m, free); err != nil || again.ID != a.ID {
		t.Errorf("order %d, then %d, %v", a.ID, again.ID, err)
	}
	if again, prep, err := r.Order(paidCtx, m, paid); err != nil || again.ID != b.ID || prep.Jsapi == nil {
		t.Errorf("order %d, then %d, %v", b.ID, again.ID, err)
	}
	if _, _, err := r.Order(r.owner(m), m, free); err == nil {
		t.Error("a closed store hands out")
	}
	r.exact()
}

// paid pays an order at WeChat; nobody is told of it, so it is asked.
func (r *rig) paid(o Order) {
	r.t.Helper()
	x, err := r.Sales.Sale(r.t.Context(), 0, o.SaleID)
	must(r.t, err)
	p, err := r.pay.Get(r.t.Context(), r.db, x.PaymentID)
	must(r.t, err)
	order, ok := r.wx.Order(p.OutTradeNo)
	if !ok {
		r.t.Fatal("no order at WeChat")
	}
	_ = order
	for _, persona := range r.wx.Personas() {
		if _, err = r.wx.Pay(wxsandbox.PayRequest{OutTradeNo: p.OutTradeNo, PersonaID: persona.ID, Outcome: wxsandbox.OutcomePayLoseNotice}); err == nil {
			break
		}
	}
	must(r.t, err)
	_, err = r.Sales.Check(r.t.Context(), 0, o.SaleID)
	must(r.t, err)
}

func TestMoneyByStoredValue(t *testing.T) {
	r := newRig(t)
	i := r.item(ItemInput{Stock: 3, MoneyFen: 5000})
	m := r.join(1000)
	a := r.ask(i, 1)
	a.Pay = sale.MethodBalance
	if _, _, err := r.Order(r.owner(m), m, a); err == nil {
		t.Fatal("without stored value")
	}
	if r.has(m) != 1000 || r.stock(i) != 3 {
		t.Fatal("something stayed reserved")
	}
	r.top(m, 8000, 2000)
	o := r.ordered(m, a)
	if o.State != Ready {
		t.Fatal(o.State)
	}
	b, err := ledger.BalanceOf(t.Context(), r.db, m)
	must(t, err)
	if b.Principal+b.Bonus != 5000 {
		t.Errorf("%+v", b)
	}
	_, err = r.Cancel(r.owner(m), m, o.ID, "不要了")
	must(t, err)
	b, err = ledger.BalanceOf(t.Context(), r.db, m)
	if err != nil || b.Principal != 8000 || b.Bonus != 2000 || r.has(m) != 1000 || r.stock(i) != 3 {
		t.Errorf("%+v %v", b, err)
	}
	voucher := r.item(ItemInput{Name: "券", Kind: KindCoupon, SubjectID: 7, MoneyFen: 100, Stock: 1})
	a = r.ask(voucher, 1)
	a.Pay = sale.MethodBalance
	_, _, err = r.Order(r.owner(m), m, a)
	r.wantErr(err, sale.ErrBalance)
	r.exact()
}

func TestItemsAreChecked(t *testing.T) {
	r := newRig(t)
	now, past := r.clk.Now(), r.clk.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		in    ItemInput
		field string
	}{
		"name":      {ItemInput{Kind: KindGood, Points: 1}, "name"},
		"image":     {ItemInput{Name: "x", Kind: KindGood, Points: 1, Image: "../x"}, "image"},
		"free":      {ItemInput{Name: "x", Kind: KindGood}, "points"},
		"money":     {ItemInput{Name: "x", Kind: KindPass, SubjectID: 1, Points: 1, MoneyFen: 1}, "moneyFen"},
		"subject":   {ItemInput{Name: "x", Kind: KindCoupon, Points: 1}, "subjectId"},
		"unknown":   {ItemInput{Name: "x", Kind: KindCoupon, SubjectID: 8, Points: 1}, "subjectId"},
		"no giver":  {ItemInput{Name: "x", Kind: KindPass, SubjectID: 8, Points: 1}, "subjectId"},
		"good":      {ItemInput{Name: "x", Kind: KindGood, SubjectID: 8, Points: 1}, "subjectId"},
		"ship":      {ItemInput{Name: "x", Kind: KindCoupon, SubjectID: 7, Points: 1, Ship: true}, "ship"},
		"tier":      {ItemInput{Name: "x", Kind: KindGood, Points: 1, MinTierID: 5}, "minTierId"},
		"backwards": {ItemInput{Name: "x", Kind: KindGood, Points: 1, SaleFrom: &now, SaleTo: &past}, "saleTo"},
	} {
		_, err := r.SaveItem(r.staff(), 0, c.in)
		if f := fault.As(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Field != c.field {
			t.Errorf("%s: %v %+v, want a complaint at %s", name, err, f, c.field)
		}
	}
	i := r.item(ItemInput{Stock: 5})
	for field, in := range map[string]ItemInput{"stock": {Name: "x", Kind: KindGood, Points: 1, Stock: 9}, "kind": {Name: "x", Kind: KindCoupon, SubjectID: 7, Points: 1}} {
		if _, err := r.SaveItem(r.staff(), i.ID, in); err == nil || fault.As(err).Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	m := r.join(1000)
	o := r.ordered(m, r.ask(i, 1))
	if _, err := r.SaveItem(r.staff(), i.ID, ItemInput{Name: "新名", Kind: KindGood, Points: 500}); err != nil {
		t.Fatal(err)
	}
	if o = r.state(o, Ready); o.Title != "脚垫" || o.Points != 100 {
		t.Errorf("the order changed: %+v", o)
	}
	ctx := actor.With(t.Context(), actor.Job("test"))
	if _, err := r.ChangeStock(ctx, i.ID, StockChange{0, "x"}); err == nil {
		t.Error("a change of nothing")
	}
	r.exact()
}

func TestEveryWayIsWalkable(t *testing.T) {
	for from, tos := range ways {
		for _, to := range tos {
			if !mayFollow(from, to) || mayFollow(to, from) {
				t.Error(from, to)
			}
		}
	}
	for in, want := range map[string]string{"1234 567-890": "1234567890", "123456789": "", "12345678901": "", "abcdefghij": "", "１２３４５６７８９０": ""} {
		if got := plainCode(in); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
	if got := fmt.Sprint(costText(100, 0), costText(100, 4900)); got != "100 积分 100 积分 + ¥49.00" && got != "100 积分100 积分 + ¥49.00" {
		t.Error(got)
	}
}
