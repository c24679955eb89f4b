package model

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// scene is one meeting of commands: what happened before, who meets, and what must be true afterwards, whoever came first.
type scene struct {
	*history
	mu      sync.Mutex
	answers map[string]string // of each command: "" or its fault
	ids     map[string]int64
}

// meets adds a command by what it answers.
func (s *scene) meets(name string, do func(ctx context.Context) (int64, error)) command {
	return command{name, func(ctx context.Context) {
		id, err := do(ctx)
		code := ""
		if err != nil {
			var f *fault.Error
			if code = err.Error(); errors.As(err, &f) {
				code = f.Code
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answers[name], s.ids[name] = code, id
	}}
}

// won are the commands that were carried out.
func (s *scene) won() (n int) {
	for _, a := range s.answers {
		if a == "" {
			n++
		}
	}
	return n
}

// only one of the commands was carried out, and the others were refused by one of these faults.
func (s *scene) onlyOne(faults ...string) error {
	for name, a := range s.answers {
		if a != "" && !strings.Contains(" "+strings.Join(faults, " ")+" ", " "+a+" ") {
			return fmt.Errorf("%s was refused by %s", name, a)
		}
	}
	if n := s.won(); n != 1 {
		return fmt.Errorf("%d of them were carried out: %v", n, s.answers)
	}
	return nil
}

// same says whether all commands were carried out and answered with the same id.
func (s *scene) same() error {
	for name, id := range s.ids {
		if s.answers[name] != "" || id != s.ids["first"] {
			return fmt.Errorf("it was answered %v %v", s.answers, s.ids)
		}
	}
	return nil
}

// money compares what somebody has in the wallet, of which nothing may be held.
func (s *scene) money(p *person, fen int64) error {
	b, err := ledger.BalanceOf(s.t.Context(), s.DB, p.id)
	if err == nil && (b.Principal+b.Bonus != fen || b.Held != 0) {
		err = fmt.Errorf("has %+v, want %d: %v", b, fen, s.answers)
	}
	return err
}

// unit compares what somebody has of another unit.
func (s *scene) unit(p *person, u ledger.Unit, want int64) error {
	have, err := ledger.BalancesOf(s.t.Context(), s.DB, u, []int64{p.id})
	if err == nil && have[p.id] != want {
		err = fmt.Errorf("has %d %s, want %d: %v", have[p.id], u, want, s.answers)
	}
	return err
}

// rich is a member with 580.00.
func (s *scene) rich() *person {
	p := s.register()
	_, _, err := s.Wallet.Desk(s.staff(), wallet.Ask{StoreID: s.store, MemberID: p.id, PlanID: s.catalog.plan, AmountFen: planFen, Method: wallet.MethodCash})
	s.need(err)
	return p
}

// bill is ten washes, 450.00, or as many as are asked for.
func (s *scene) bill(p *person, washes int64) checkout.Request {
	return checkout.Request{StoreID: s.store, MemberID: p.id, Plate: p.plate, VehicleClassID: s.catalog.car, Items: []checkout.Item{{Kind: catalog.KindService, ID: s.catalog.wash, Qty: washes}},
		Benefits: &checkout.BenefitAsk{}}
}

// pays is a command that settles a bill in one way of paying.
func (s *scene) pays(name string, r checkout.Request, kind string) command {
	with := s.staff()
	q, err := s.Checkout.Quote(s.staff(), r)
	s.need(err)
	return s.meets(name, func(ctx context.Context) (int64, error) {
		var tenders []checkout.Tender
		if q.TotalFen > 0 {
			tenders = []checkout.Tender{{Kind: kind, AmountFen: q.TotalFen}}
		}
		o, err := s.Checkout.Settle(merged(ctx, with), r, q.QuoteHash, tenders)
		return o.ID, err
	})
}

// merged is the context of a command, with the turns of the meeting.
func merged(turns, command context.Context) context.Context { return both{command, turns} }

type both struct {
	context.Context
	turns context.Context
}

func (b both) Value(key any) any {
	if v := b.Context.Value(key); v != nil {
		return v
	}
	return b.turns.Value(key)
}

// begunTopup is a top-up that waits in the app.
func (s *scene) begunTopup() (*person, wallet.Topup) {
	p := s.register()
	t, _, err := s.Wallet.Begin(s.owner(p.id, p.identity), s.catalog.plan, planFen)
	s.need(err)
	return p, t
}

// number is what WeChat calls a top-up.
func (s *scene) number(t wallet.Topup) string {
	p, err := s.Payments.Get(s.t.Context(), s.DB, t.PaymentID)
	s.need(err)
	return p.OutTradeNo
}

// asks looks at a payment, as an app that polls.
func (s *scene) asks(t wallet.Topup) command {
	return s.meets("app", func(ctx context.Context) (int64, error) {
		_, err := s.Payments.Check(merged(ctx, s.t.Context()), t.PaymentID)
		return 0, err
	})
}

// givesUp cancels a top-up, unless somebody is just deciding about it.
func (s *scene) givesUp(p *person, t wallet.Topup) command {
	return s.meets("owner", func(ctx context.Context) (int64, error) {
		_, err := s.Wallet.Cancel(merged(ctx, s.owner(p.id, p.identity)), p.id, t.ID)
		return 0, err
	})
}

// credited says whether a top-up was credited exactly once.
func (s *scene) credited(t wallet.Topup) error {
	n := s.rows(`SELECT ref_id AS id, '' AS word, COUNT(*) AS n, 0 AS m FROM ledger_postings WHERE ref_kind = 'topup' AND ref_id = ? GROUP BY ref_id`, t.ID)
	if len(n) != 1 || n[0].N != 1 {
		return fmt.Errorf("credited %v: %v", n, s.answers)
	}
	return nil
}

// place is a time at which nobody has booked yet.
func (s *scene) place() time.Time {
	china := s.clk.Now().In(time.FixedZone("", 8*3600))
	minute := opens + 30*(s.slots%20)
	at := time.Date(china.Year(), china.Month(), china.Day()+1+s.slots/20, minute/60, minute%60, 0, 0, china.Location())
	s.world.slots++
	s.staffs(at.Format(time.DateOnly))
	return at
}

// comes is the command by which somebody books a wash.
func (s *scene) comes(p *person, at time.Time) func(ctx context.Context) (int64, error) {
	cars, err := s.Members.Vehicles(s.t.Context(), p.id)
	s.need(err)
	with := s.owner(p.id, p.identity)
	return func(ctx context.Context) (int64, error) {
		b, err := s.Bookings.Create(merged(ctx, with), booking.OwnerAsk{StoreID: s.floor.store, Kind: booking.KindVisit, VehicleID: cars[0].ID, ServiceIDs: []int64{s.catalog.wash},
			StartsAt: &at, Channel: booking.ChannelMini})
		return b.ID, err
	}
}

// places says whether so many visits hold a time, each a bay and a technician of its own.
func (s *scene) places(at time.Time, visits int) error {
	taken := s.rows(`SELECT resource_id AS id, '' AS word, COUNT(*) AS n, 0 AS m FROM slot_cells WHERE cell = ? GROUP BY resource_id`, cellOf(at))
	for _, r := range taken {
		if r.N != 1 {
			return fmt.Errorf("%d have %d at the same time: %v", r.N, r.ID, s.answers)
		}
	}
	if len(taken) != 2*visits {
		return fmt.Errorf("%d bays and technicians are taken, want %d: %v", len(taken), 2*visits, s.answers)
	}
	return nil
}

// loosens takes the unique keys out, in the binary that is built without guards: what they refuse is a guard too.
func (w *world) loosens() {
	if !unguarded {
		return
	}
	for _, q := range []string{`ALTER TABLE slot_cells DROP PRIMARY KEY`, `ALTER TABLE idem_keys DROP PRIMARY KEY`, `ALTER TABLE coupon_holds DROP INDEX live_coupon_id`,
		`ALTER TABLE ledger_postings DROP INDEX reverses_id`, `ALTER TABLE notify_messages DROP INDEX dedupe_key`} {
		_, err := w.DB.SQLDB().ExecContext(w.t.Context(), q)
		must(w.t, err)
	}
}

// scenes are the meetings at the guarded points. Those whose commands a till may run in one transaction say so: there one needs no guard against the other.
var scenes = []struct {
	name     string
	together bool
	set      func(s *scene) (commands []command, check func() error)
}{
	{"two tills spend the same money", true, func(s *scene) ([]command, func() error) {
		p := s.rich()
		return []command{s.pays("first", s.bill(p, 10), checkout.TenderBalance), s.pays("second", s.bill(p, 10), checkout.TenderBalance)}, func() error {
			return errors.Join(s.onlyOne("wallet.insufficient_balance"), s.money(p, 13000))
		}
	}},
	{"a till and a sale spend the same money", false, func(s *scene) ([]command, func() error) {
		p := s.rich()
		with := s.staff()
		buy := s.meets("sale", func(ctx context.Context) (int64, error) {
			x, _, err := s.Sales.Begin(merged(ctx, with), sale.Buy{Kind: pass.SalePass, SubjectID: s.catalog.pass, MemberID: p.id, StoreID: s.store}, sale.Pay{Method: sale.MethodBalance})
			return x.ID, err
		})
		return []command{s.pays("till", s.bill(p, 11), checkout.TenderBalance), buy}, func() error {
			left, uses := int64(58000-49500), int64(0)
			if s.answers["sale"] == "" {
				left, uses = 58000-passPrice, passTimes
			}
			return errors.Join(s.onlyOne("wallet.insufficient_balance"), s.money(p, left), s.unit(p, ledger.Uses, uses))
		}
	}},
	{"a bill is reversed twice while its money is spent", false, func(s *scene) ([]command, func() error) {
		p := s.rich()
		q, err := s.Checkout.Quote(s.staff(), s.bill(p, 10))
		s.need(err)
		o, err := s.Checkout.Settle(s.staff(), s.bill(p, 10), q.QuoteHash, []checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: 45000}})
		s.need(err)
		reverse := func(name string) command {
			with := s.staff()
			return s.meets(name, func(ctx context.Context) (int64, error) {
				o, err := s.Checkout.Reverse(merged(ctx, with), o.ID, "客户要求撤销")
				return o.ID, err
			})
		}
		return []command{reverse("reversal"), s.pays("till", s.bill(p, 10), checkout.TenderBalance), reverse("another reversal")}, func() error {
			left := int64(58000)
			if s.answers["till"] == "" {
				left -= 45000
			}
			delete(s.answers, "till")
			return errors.Join(s.onlyOne("checkout.order_state", "ledger.already_reversed"), s.money(p, left))
		}
	}},
	{"a top-up goes back while it is spent", false, func(s *scene) ([]command, func() error) {
		p := s.rich()
		with := s.staff()
		refund := s.meets("refund", func(ctx context.Context) (int64, error) {
			plan, err := s.Wallet.PlanFor(merged(ctx, with), p.id, 0)
			if err != nil {
				return 0, err
			}
			r, err := s.Wallet.Refund(merged(ctx, with), p.id, s.store, plan.RequestedFen, "会员申请退款", plan.PlanHash)
			return r.ID, err
		})
		return []command{refund, s.pays("till", s.bill(p, 10), checkout.TenderBalance)}, func() error {
			left := int64(58000)
			if s.answers["till"] == "" {
				left -= 45000
			}
			if s.answers["refund"] == "" {
				left = 0 // all that was left, and its bonus
			}
			if s.won() == 0 {
				return fmt.Errorf("neither was carried out: %v", s.answers)
			}
			return s.money(p, left)
		}
	}},
	{"WeChat tells, an app asks and the owner gives up", false, func(s *scene) ([]command, func() error) {
		p, t := s.begunTopup()
		no := s.number(t)
		_, err := s.wx.Pay(wxsandbox.PayRequest{OutTradeNo: no, PersonaID: p.persona, Outcome: wxsandbox.OutcomePayLoseNotice})
		s.need(err)
		tell := s.meets("WeChat", func(ctx context.Context) (int64, error) {
			s.turns.Store(&ctx)
			defer s.turns.Store(nil)
			_, err := s.wx.Resend(no)
			return 0, err
		})
		return []command{tell, s.asks(t), s.givesUp(p, t)}, func() error {
			return errors.Join(s.credited(t), s.money(p, planFen+planBonus))
		}
	}},
	{"an owner pays while another phone gives up", false, func(s *scene) ([]command, func() error) {
		p, t := s.begunTopup()
		no := s.number(t)
		pay := s.meets("payer", func(context.Context) (int64, error) {
			_, err := s.wx.Pay(wxsandbox.PayRequest{OutTradeNo: no, PersonaID: p.persona, Outcome: wxsandbox.OutcomePayLoseNotice})
			return 0, err
		})
		return []command{pay, s.givesUp(p, t), s.asks(t)}, func() error {
			if s.answers["payer"] != "" { // it was closed first
				return s.money(p, 0)
			}
			if _, err := s.Payments.Check(s.t.Context(), t.PaymentID); err != nil {
				return err
			}
			return errors.Join(s.credited(t), s.money(p, planFen+planBonus))
		}
	}},
	{"two owners want the last place", false, func(s *scene) ([]command, func() error) {
		at := s.place()
		_, err := s.comes(s.register(), at)(s.t.Context())
		s.need(err)
		return []command{s.meets("first", s.comes(s.register(), at)), s.meets("second", s.comes(s.register(), at))}, func() error {
			return errors.Join(s.onlyOne("booking.slot_gone"), s.places(at, 2))
		}
	}},
	{"two bills want one coupon", false, func(s *scene) ([]command, func() error) {
		p := s.register()
		var ids []int64
		s.need(s.DB.InTx(s.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
			ids, err = s.Coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: s.catalog.coupon, MemberID: p.id, N: 1, Source: coupon.FromStaff})
			return err
		}))
		b := s.bill(p, 1)
		b.Benefits.CouponIDs = ids
		return []command{s.pays("first", b, checkout.TenderCash), s.pays("second", b, checkout.TenderCash)}, func() error {
			return s.onlyOne("coupon.held", "coupon.used", "checkout.coupon", "checkout.quote_changed")
		}
	}},
	{"two bills want the last use of a pass", false, func(s *scene) ([]command, func() error) {
		p := s.rich() // with a wallet, whose opening would keep them apart
		x, _, err := s.Sales.Begin(s.staff(), sale.Buy{Kind: pass.SalePass, SubjectID: s.catalog.pass, MemberID: p.id, StoreID: s.store}, sale.Pay{Method: sale.MethodCash})
		s.need(err)
		got, err := s.Passes.Pass(s.t.Context(), p.id, x.ResultID)
		s.need(err)
		b := s.bill(p, 2)
		b.Benefits.Covers = []pricing.CoverUse{{Kind: pricing.CoverPass, ID: got.Lines[0].ID, Qty: 2}}
		return []command{s.pays("first", b, checkout.TenderCash), s.pays("second", b, checkout.TenderCash)}, func() error {
			return errors.Join(s.onlyOne("pass.not_usable", "checkout.cover", "checkout.quote_changed"), s.unit(p, ledger.Uses, 1))
		}
	}},
	{"points are spent twice", false, func(s *scene) ([]command, func() error) {
		p := s.register()
		_, err := s.Points.Adjust(s.staff(), p.id, 1000, "门店调整")
		s.need(err)
		take := func(name string) command {
			with := s.staff()
			return s.meets(name, func(ctx context.Context) (int64, error) {
				_, err := s.Points.Adjust(merged(ctx, with), p.id, -700, "门店调整")
				return 0, err
			})
		}
		return []command{take("first"), take("second")}, func() error {
			return errors.Join(s.onlyOne("points.insufficient"), s.unit(p, ledger.Points, 300))
		}
	}},
	{"one top-up arrives twice", false, func(s *scene) ([]command, func() error) {
		p := s.register()
		with := s.staff()
		send := func(name string) command {
			return s.meets(name, func(ctx context.Context) (int64, error) {
				t, _, err := s.Wallet.Desk(merged(ctx, with), wallet.Ask{StoreID: s.store, MemberID: p.id, PlanID: s.catalog.plan, AmountFen: planFen, Method: wallet.MethodCash})
				return t.ID, err
			})
		}
		return []command{send("first"), send("second")}, func() error { return errors.Join(s.same(), s.money(p, planFen+planBonus)) }
	}},
	{"one bill arrives twice", true, func(s *scene) ([]command, func() error) {
		p := s.register()
		with := s.staff()
		q, err := s.Checkout.Quote(s.staff(), s.bill(p, 1))
		s.need(err)
		send := func(name string) command {
			return s.meets(name, func(ctx context.Context) (int64, error) {
				o, err := s.Checkout.Settle(merged(ctx, with), s.bill(p, 1), q.QuoteHash, []checkout.Tender{{Kind: checkout.TenderCash, AmountFen: q.TotalFen}})
				return o.ID, err
			})
		}
		return []command{send("first"), send("second")}, s.same
	}},
}

// TestInterleavings lets commands meet at every guarded point: in every order of their transactions, or in many, and then truly at once.
func TestInterleavings(t *testing.T) {
	w := open(t, dbtest.Start)
	w.loosens()
	for _, sc := range scenes {
		if unguarded && sc.together {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			meet := func(how string, run func(s *scene, commands []command)) {
				t.Helper()
				s := &scene{history: &history{world: w, books: map[string]int64{}}, answers: map[string]string{}, ids: map[string]int64{}}
				defer func() {
					if p := recover(); p != nil {
						t.Fatalf("%s: %v", how, p)
					}
				}()
				w.clk.Advance(time.Minute)
				s.opens()
				commands, check := sc.set(s)
				run(s, commands)
				if err := check(); err != nil {
					t.Fatalf("%s: %v", how, err)
				}
			}
			most, times := 24, 5
			if unguarded {
				most, times = 1, 20 // one after the other they need no guard; at once it goes wrong sooner or later
			}
			tried, all := orders(most, func(choose func([]int) int) {
				var order []string
				meet("in turns", func(s *scene, commands []command) {
					inTurns(t.Context(), commands, func(waiting []int) int {
						at := choose(waiting)
						order = append(order, commands[waiting[at]].name)
						return at
					})
				})
			})
			for range times {
				meet("at once", func(s *scene, commands []command) { atOnce(t.Context(), commands, w.DB.Dialect() == db.MySQL) })
			}
			t.Logf("%d orders, all of them: %v", tried, all)
			if unguarded {
				return // what others have spoilt says nothing of this meeting
			}
			if problems, err := w.audit(); err != nil || problems != "" {
				t.Fatalf("audit: %s %v", problems, err)
			}
		})
	}
}
