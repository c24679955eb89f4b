package checkout_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
)

// story is a business in which anything may happen next.
type story struct {
	*club
	r      *rand.Rand
	people []int64
	orders []checkout.Order
	passes []pass.Pass
	plans  []pass.Plan
	told   []string
}

func (s *story) fails(what string, err error) bool {
	s.told = append(s.told, fmt.Sprint(what, " ", err))
	var f *fault.Error
	if err != nil && (!errors.As(err, &f) || f.Kind >= 500) {
		s.t.Fatalf("%s: %v\n%v", what, err, s.told)
	}
	return err != nil
}

func one[T any](s *story, list []T) (x T, ok bool) {
	if len(list) == 0 {
		return x, false
	}
	return list[s.r.IntN(len(list))], true
}

func (s *story) buys() {
	m, _ := one(s, s.people)
	p, _ := one(s, s.plans)
	method, _ := one(s, []string{sale.MethodCash, sale.MethodBalance})
	x, _, err := s.sales.Begin(s.key(), sale.Buy{Kind: pass.SalePass, SubjectID: p.ID, MemberID: m, StoreID: s.West}, sale.Pay{Method: method})
	if s.fails("buys by "+method, err) {
		return
	}
	got, err := s.club.passes.Pass(s.t.Context(), m, x.ResultID)
	shopfloor.Must(s.t, err)
	s.passes = append(s.passes, got)
}

func (s *story) pays() {
	m, _ := one(s, s.people)
	r := s.asks(m, checkout.Item{Kind: catalog.KindService, ID: s.Wash, Qty: 1 + s.r.Int64N(3)})
	if s.r.IntN(3) == 0 {
		r.Items = append(r.Items, checkout.Item{Kind: catalog.KindGood, ID: s.mat, Qty: 2})
	}
	q := s.quote(r)
	var tenders []checkout.Tender
	left := q.TotalFen
	take := func(kind string, n money.Fen) {
		if n = min(n, left); n > 0 {
			tenders, left = append(tenders, tender(kind, n)), left-n
		}
	}
	if q.Offers.Points != nil && s.r.IntN(2) == 0 {
		take(checkout.TenderPoints, q.Offers.Points.MaxFen)
	}
	if s.r.IntN(2) == 0 {
		take(checkout.TenderBalance, money.Fen(s.r.Int64N(int64(q.Balance.AvailableFen)+1)))
	}
	if s.r.IntN(3) == 0 {
		take(checkout.TenderNative, left)
	}
	o, err := s.try(r, tenders...)
	if !s.fails(fmt.Sprint("pays ", tenders), err) {
		s.orders = append(s.orders, o)
	}
}

func (s *story) regrets() {
	if o, ok := one(s, s.orders); ok {
		_, err := s.till.Reverse(s.key(), o.ID, "客户要求撤销")
		s.fails(fmt.Sprint("reverses ", o.ID), err)
	}
}

func (s *story) decides() {
	for _, o := range s.orders {
		now, err := s.till.Order(s.t.Context(), o.ID)
		shopfloor.Must(s.t, err)
		if now.Status != checkout.Awaiting {
			continue
		}
		if s.r.IntN(2) == 0 && now.ExpiresAt.After(s.Clock.Now()) {
			s.told = append(s.told, fmt.Sprint("scans ", o.ID))
			s.scans(now)
			continue
		}
		_, err = s.till.Cancel(s.key(), o.ID)
		s.fails(fmt.Sprint("cancels ", o.ID), err)
	}
}

func (s *story) changes() {
	p, ok := one(s, s.passes)
	if !ok {
		return
	}
	p, err := s.club.passes.Pass(s.t.Context(), 0, p.ID)
	shopfloor.Must(s.t, err)
	id := fmt.Sprint(" pass ", p.ID)
	switch s.r.IntN(6) {
	case 0:
		whose, _ := one(s, []string{pass.FaultShop, pass.FaultCustomer})
		plan, err := s.club.passes.RefundPlanFor(s.t.Context(), 0, p.ID, whose)
		if !s.fails("plans a refund of"+id, err) {
			_, err = s.club.passes.Refund(s.key(), p.ID, s.West, whose, "顾客申请", plan.PlanHash)
			s.fails("gives back"+id, err)
		}
	case 1:
		got, err := s.club.passes.Gift(s.key(), p.MemberID, p.ID)
		if to, _ := one(s, s.people); !s.fails("gives on"+id, err) && s.r.IntN(3) > 0 {
			_, err = s.club.passes.Claim(s.key(), to, got.GiftCode, "")
			s.fails("claims"+id, err)
		}
	case 2:
		_, err = s.club.passes.Extend(s.key(), p.ID, 1+s.r.Int64N(20), "顾客出差")
		s.fails("extends"+id, err)
	case 3:
		_, err = s.club.passes.Pause(s.key(), 0, p.ID, "出差")
		s.fails("pauses"+id, err)
	case 4:
		_, err = s.club.passes.Resume(s.key(), 0, p.ID)
		s.fails("resumes"+id, err)
	case 5:
		_, _, err = s.sales.Begin(s.key(), sale.Buy{Kind: pass.SaleRecharge, SubjectID: p.ID, MemberID: p.MemberID, StoreID: s.West}, sale.Pay{Method: sale.MethodCash})
		s.fails("recharges"+id, err)
	}
}

func (s *story) waits() {
	s.decides() // nobody pays days later
	n := 1 + s.r.IntN(15)
	s.told = append(s.told, fmt.Sprint(n, " days"))
	s.Clock.Advance(time.Duration(n) * 24 * time.Hour)
	if s.r.IntN(3) > 0 {
		shopfloor.Must(s.t, s.club.passes.Tick(s.t.Context()))
	}
}

// whole fails unless what passes owe and how often they may be used is the same in the journal and in themselves. What an order that waits has
// used of a pass is owed until it is paid.
func (s *story) whole() {
	s.t.Helper()
	var value, awaited int64
	shopfloor.Must(s.t, s.DB.Get(s.t.Context(), &value, `SELECT COALESCE(SUM(value_fen), 0) FROM pass_passes`))
	shopfloor.Must(s.t, s.DB.Get(s.t.Context(), &awaited, `SELECT COALESCE(SUM(recognised_fen), 0) FROM checkout_orders WHERE status = 'awaiting_payment'`))
	var odd []int64
	shopfloor.Must(s.t, s.DB.Select(s.t.Context(), &odd, `SELECT l.id FROM pass_lines l JOIN pass_passes p ON p.id = l.pass_id LEFT JOIN ledger_lots x ON x.ref_kind = 'pass_line' AND x.ref_id = l.id
		AND x.member_id = p.member_id WHERE l.counted GROUP BY l.id, l.left_uses HAVING COALESCE(SUM(x.remaining), 0) <> l.left_uses`))
	if owed := s.account("passes"); owed != value+awaited || len(odd) > 0 {
		s.t.Errorf("passes owe %d, by themselves %d and %d in orders that wait; lines %v differ from their lots", owed, value, awaited, odd)
	}
	s.exact()
	if s.t.Failed() {
		s.t.Fatalf("%v", s.told)
	}
}

// Whatever members and desk do one after the other, with whatever passes, coupons, points and stored value, every book stays exact.
func TestAnythingMayHappenNext(t *testing.T) {
	for seed := range uint64(3) {
		c := openClub(t)
		s := &story{club: c, r: rand.New(rand.NewPCG(seed, 11)), people: []int64{c.member(true), c.member(true), c.member(true)}}
		for i, change := range []func(in *pass.PlanInput){
			func(in *pass.PlanInput) { in.Giftable, in.Recharge = true, &pass.Recharge{Times: 2, PriceFen: 5000} },
			func(in *pass.PlanInput) { in.Upgrade = true },
			func(in *pass.PlanInput) { in.Kind, in.PerDay, in.Lines[0].Times = pass.KindUnlimited, 1, 0 },
			func(in *pass.PlanInput) { in.Kind = pass.KindPeriod },
		} {
			in := pass.PlanInput{Offer: pass.Offer{Name: fmt.Sprint("卡", i), Kind: pass.KindTimes, PriceFen: 10000, ValidDays: 20, FromBalance: true,
				Lines: []pass.PlanLine{{ServiceIDs: []int64{c.Wash}, Times: 3, ListFen: 4500}}}, OnSale: true}
			change(&in)
			p, err := c.passes.CreatePlan(c.Ctx(), in)
			shopfloor.Must(t, err)
			s.plans = append(s.plans, p)
		}
		for range 60 {
			switch n := s.r.IntN(20); {
			case n < 3:
				s.buys()
			case n < 9:
				s.pays()
			case n < 12:
				s.regrets()
			case n < 13:
				s.decides()
			case n < 17:
				s.changes()
			case n < 18:
				m, _ := one(s, s.people)
				c.coupon(m, 1000, func(in *coupon.TemplateInput) { in.ValidDays = 10 })
			default:
				s.waits()
			}
			s.whole()
		}
	}
}
