package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// seeder lives through the shop's history by the same use cases that people use: nothing is written past them.
type seeder struct {
	*Demo
	clk     *clock.Manual
	rnd     *rand.Rand
	keys    int
	stores  []shop.Store
	classes []int64
	svc     []catalog.ServiceItem
	goods   []int64
	plans   []catalog.TopupPlan
	tiers   []int64
	desks   []actor.Actor // who works the till, by store
	boss    actor.Actor
	people  []person
	club    club
	planned string // the last day of the roster

	// Bookings; see seed_booking.go.
	dice    *rand.Rand // apart from rnd, so that what is booked does not change who visits
	agenda  []due
	team    map[string]int64 // account ids by name
	tech    actor.Actor
	guests  int
	busy    int // cars in the wash bays of the first store at the end
	onLeave int64
	dear    booking.Booking // the coating with a deposit
}

type person struct {
	id      int64
	plate   string
	class   int
	home    int // index of the store
	persona string
	owner   actor.Actor // WeChat members only
	visits  float64     // a day
}

func (d *Demo) seed(ctx context.Context, past *clock.Manual, until time.Time, out io.Writer) error {
	s := &seeder{Demo: d, clk: past, rnd: rand.New(rand.NewPCG(2026, 11)), dice: rand.New(rand.NewPCG(2026, 12)), team: map[string]int64{}}
	if err := s.setUp(ctx); err != nil {
		return err
	}
	days := int(until.Sub(past.Now()).Hours() / 24)
	zone := bizday.Location(bizday.DefaultZone)
	today := until.In(zone)
	s.planClub(today)
	for day := range days + 1 {
		morning := time.Date(today.Year(), today.Month(), today.Day()-days+day, 9, 0, 0, 0, zone)
		pace := time.Minute
		if day == days { // whatever the hour, today has a few hours behind it
			midnight := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, zone)
			if morning = until.Add(-6 * time.Hour); morning.Before(midnight) {
				morning = midnight
			}
			pace = until.Sub(morning) / 400
		}
		if err := s.planAhead(actor.With(ctx, actor.Job("演示数据")), today.AddDate(0, 0, day-days)); err != nil {
			return fmt.Errorf("roster of day %d: %w", day, err)
		}
		if day == days-stayDays-1 {
			if err := s.upgrade(ctx); err != nil {
				return err
			}
			s.planStays(until)
		}
		if err := s.day(ctx, day, morning, until, pace); err != nil {
			return fmt.Errorf("day %d: %w", day, err)
		}
		fmt.Fprintf(out, "\r  第 %d / %d 天", day+1, days+1)
	}
	fmt.Fprintln(out)
	if err := s.upTo(ctx, until); err != nil {
		return err
	}
	return errors.Join(s.finish(ctx), s.finishStays(ctx, until), s.giveCoupons(ctx), s.openMall(ctx), s.shareWallets(ctx), s.openOfficial(ctx, until), s.tellOfCars(ctx, until), s.keepInTouch(ctx))
}

// as is a context in which who acts with a fresh idempotency key.
func (s *seeder) as(ctx context.Context, who actor.Actor) context.Context {
	s.keys++
	key := fmt.Sprintf("demo-seed-%06d", s.keys)
	return idem.With(actor.With(ctx, who), idem.Key{Actor: fmt.Sprintf("%s:%d", who.Kind, who.ID), Key: key, Hash: key})
}

func (s *seeder) setUp(ctx context.Context) error {
	sys := actor.With(ctx, actor.Actor{Kind: actor.System, Name: "演示数据"})
	if err := s.Settings.Update(sys, []setting.Value{{Key: setting.SMSCodeTemplate, Value: demoCodeTemplate}}); err != nil {
		return err
	}
	for _, in := range []shop.Input{
		{Name: "静安店", Address: "上海市静安区江宁路 888 号", Phone: "021-60000001", HoursText: "每天 8:30–20:00"},
		{Name: "浦东店", Address: "上海市浦东新区张杨路 1299 号", Phone: "021-60000002", HoursText: "24 小时"},
	} {
		st, err := s.Shops.Create(sys, in)
		if err != nil {
			return err
		}
		s.stores = append(s.stores, st)
	}
	if err := s.offers(sys); err != nil {
		return err
	}
	if err := s.staff(ctx); err != nil {
		return err
	}
	return errors.Join(s.layOut(sys), s.layPoints(sys), s.offerClub(sys), s.mapTexts(sys))
}

func (s *seeder) offers(ctx context.Context) error {
	for i, c := range demoClasses {
		v, err := s.Catalog.CreateVehicleClass(ctx, catalog.VehicleClassInput{Name: c.name, Example: c.example, Sort: i})
		if err != nil {
			return err
		}
		s.classes = append(s.classes, v.ID)
	}
	for i, x := range demoServices {
		floor := money.BP(x.floor)
		in := catalog.ServiceInput{Name: x.name, Description: x.description, Kind: x.kind, Minutes: x.minutes, MinPriceBP: &floor, Sort: i, BookingInput: x.terms}
		for k, fen := range x.fen {
			in.Prices = append(in.Prices, catalog.Price{VehicleClassID: s.classes[k], PriceFen: money.Fen(fen), Minutes: x.takes[k]})
		}
		v, err := s.Catalog.CreateService(ctx, in)
		if err != nil {
			return err
		}
		s.svc = append(s.svc, v)
	}
	for i, g := range demoGoods {
		v, err := s.Catalog.CreateGood(ctx, catalog.GoodInput{Name: g.name, Unit: g.unit, PriceFen: money.Fen(g.fen), Sort: i})
		if err != nil {
			return err
		}
		s.goods = append(s.goods, v.ID)
	}
	for i, p := range demoPlans {
		v, err := s.Catalog.CreatePlan(ctx, catalog.TopupPlanInput{Name: p.name, AmountFen: money.Fen(p.fen), BonusFen: money.Fen(p.bonus), Note: p.note, Sort: i})
		if err != nil {
			return err
		}
		s.plans = append(s.plans, v)
	}
	for _, t := range demoTiers {
		v, err := s.Tiers.Create(ctx, tier.Input{Name: t.name, Color: t.color, Rank: t.rank, DiscountBP: money.BP(t.bp), Priority: &t.priority})
		if err != nil {
			return err
		}
		s.tiers = append(s.tiers, v.ID)
	}
	return nil
}

// day lives through one day at the given pace of a minute: people join, top up, are served.
func (s *seeder) day(ctx context.Context, day int, morning, until time.Time, pace time.Duration) error {
	at := func(minute int) (bool, error) {
		t := morning.Add(time.Duration(minute) * pace)
		if t.After(until) || t.Before(s.clk.Now()) {
			return t.Before(until), nil
		}
		return true, s.upTo(ctx, t)
	}
	minute := 0
	for len(s.people) < len(demoPeople) && len(s.people) <= day/2 {
		minute += 10 + s.rnd.IntN(20)
		if on, err := at(minute); err != nil || !on {
			return err
		}
		if err := s.join(ctx, len(s.people)); err != nil {
			return fmt.Errorf("join %d: %w", len(s.people), err)
		}
	}
	for i := range s.people {
		if s.rnd.Float64() >= s.people[i].visits || hasStrayed(i, int(until.Sub(morning).Hours()/24)) {
			continue
		}
		minute += 8 + s.rnd.IntN(35)
		if on, err := at(minute); err != nil || !on {
			return err
		}
		if !s.open(s.people[i].home) {
			continue
		}
		if err := s.visit(ctx, &s.people[i]); err != nil {
			return fmt.Errorf("visit of member %d: %w", i, err)
		}
	}
	for range 1 + s.rnd.IntN(3) {
		minute += 10 + s.rnd.IntN(40)
		if on, err := at(minute); err != nil || !on {
			return err
		}
		p := person{plate: walkIns[s.rnd.IntN(len(walkIns))], class: 1 + s.rnd.IntN(2), home: s.rnd.IntN(2)}
		if !s.open(p.home) {
			p.home = 1
		}
		if err := s.serve(ctx, p, pick(s.rnd, checkout.TenderCash, checkout.TenderAlipay, checkout.TenderCard)); err != nil {
			return fmt.Errorf("walk-in: %w", err)
		}
	}
	return s.Queue.Drain(ctx)
}

// open says whether the store works at this hour; the second one is a round-the-clock shop.
func (s *seeder) open(home int) bool {
	h := s.clk.Now().In(bizday.Location(bizday.DefaultZone)).Hour()
	return home == 1 || (h >= 9 && h < 20)
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func (s *seeder) join(ctx context.Context, i int) error {
	x := demoPeople[i]
	v := &member.VehicleInput{Plate: x.plate, Brand: x.brand, Model: x.model, Color: x.color}
	p := person{plate: x.plate, class: 1 + i%3, home: i % 2, visits: 0.05 + 0.15*s.rnd.Float64()}
	v.VehicleClassID = s.classes[p.class]
	phone := fmt.Sprintf("1380001%04d", 1001+i*37)
	if i >= wechatPeople {
		got, err := s.Members.Register(s.as(ctx, s.desks[p.home]), member.NewMember{StoreID: s.stores[p.home].ID, Phone: phone, Name: x.name, Gender: x.gender, Birthday: x.birthday, Vehicle: v})
		p.id = got.MemberID
		s.people = append(s.people, p)
		return err
	}
	who, err := s.Sandbox.AddPersona(wxsandbox.Persona{Nickname: x.name, Role: "会员", Phone: phone, Follows: i%3 != 0})
	if err != nil {
		return err
	}
	p.persona = who.ID
	code, err := s.Sandbox.LoginCode(who.ID, wxsandbox.AppMP)
	if err != nil {
		return err
	}
	sess, _, err := s.Members.LoginMini(ctx, code)
	if err != nil {
		return err
	}
	if p.owner, err = s.Members.Authenticate(ctx, sess.AccessToken); err != nil {
		return err
	}
	if code, err = s.Sandbox.PhoneCode(who.ID); err != nil {
		return err
	}
	proved, err := s.Members.VerifyPhone(actor.With(ctx, p.owner), code)
	if err != nil {
		return err
	}
	charter, err := s.Members.Charter(ctx)
	if err != nil {
		return err
	}
	invite := ""
	if i == 5 || i == 8 || i == 11 || i == wechatPeople-1 {
		invite = s.club.invite
	}
	got, err := s.Members.Join(s.as(ctx, p.owner), member.JoinInput{CharterVersion: charter.Version, PhoneToken: proved.Token, Name: x.name, Gender: x.gender, Birthday: x.birthday, Vehicle: v, InviteCode: invite})
	if err != nil {
		return err
	}
	p.id = got.MemberID
	p.owner.MemberID = got.MemberID
	// They allow two notices when they join, as the app asks for: the purse runs dry later, which is what a shop sees too.
	for range 2 {
		id := demoTemplateIDs(wxsandbox.AppMP)["deduction"]
		if err := s.Sandbox.Grant(who.ID, id, 1); err != nil {
			return err
		}
		if _, err := s.Messages.Grant(actor.With(ctx, p.owner), []notify.GrantResult{{TemplateID: id, Result: notify.Accept}}); err != nil {
			return err
		}
	}
	if who.Follows {
		if err := s.follow(ctx, who.ID); err != nil {
			return err
		}
	}
	s.people = append(s.people, p)
	if i == 0 {
		if err := s.inviteFriends(ctx); err != nil {
			return err
		}
	}
	return s.topup(ctx, &s.people[i])
}

// follow opens the official account's pages once, so that the member is known there too and can be told by template message.
func (s *seeder) follow(ctx context.Context, persona string) error {
	code, err := s.Sandbox.OAuthCode(persona, "snsapi_base")
	if err != nil {
		return err
	}
	who, err := s.WeChat.OAuthIdentity(ctx, code)
	if err != nil {
		return err
	}
	_, _, err = s.Members.LoginAs(ctx, who)
	return err
}

// topup buys a plan: online by WeChat Pay for members in WeChat, at the desk for the others.
func (s *seeder) topup(ctx context.Context, p *person) error {
	plan := pick(s.rnd, s.plans[1], s.plans[1], s.plans[2], s.plans[0])
	if p.persona != "" && s.rnd.IntN(8) == 0 { // somebody changes their mind
		t, _, err := s.Wallet.Begin(s.as(ctx, p.owner), plan.ID, plan.AmountFen)
		if err != nil {
			return err
		}
		_, err = s.Wallet.Cancel(s.as(ctx, p.owner), p.id, t.ID)
		return err
	}
	return s.charge(ctx, p, plan)
}

func (s *seeder) charge(ctx context.Context, p *person, plan catalog.TopupPlan) error {
	if p.persona == "" {
		method := pick(s.rnd, wallet.MethodCash, wallet.MethodCard, wallet.MethodAlipay)
		_, _, err := s.Wallet.Desk(s.as(ctx, s.desks[p.home]), wallet.Ask{MemberID: p.id, StoreID: s.stores[p.home].ID, PlanID: plan.ID, AmountFen: plan.AmountFen, Method: method, Reference: s.reference(method)})
		return err
	}
	owner := s.as(ctx, p.owner)
	t, prep, err := s.Wallet.Begin(owner, plan.ID, plan.AmountFen)
	if err != nil {
		return err
	}
	prepayID := prep.Jsapi.Package[len("prepay_id="):]
	if _, err := s.Sandbox.PayByPersona(prepayID, p.persona, wxsandbox.OutcomePay); err != nil {
		return err
	}
	_, err = s.Wallet.Check(owner, p.id, t.ID)
	return err
}

func (s *seeder) reference(method string) string {
	if method == wallet.MethodCash || method == checkout.TenderBalance {
		return ""
	}
	return fmt.Sprintf("%06d", s.rnd.IntN(1_000_000))
}

// visit serves a member, by stored value when it suffices, after a top-up when it does not.
func (s *seeder) visit(ctx context.Context, p *person) error {
	b, err := balances{s.DB}.TotalFen(ctx, p.id)
	if err != nil {
		return err
	}
	if b < 5000 && s.rnd.IntN(3) > 0 {
		if err := s.topup(ctx, p); err != nil {
			return err
		}
	}
	return s.serve(ctx, *p, checkout.TenderBalance)
}

// serve rings a visit up and settles it, mostly by the preferred tender.
func (s *seeder) serve(ctx context.Context, p person, prefer string) error {
	desk := s.desks[p.home]
	r := checkout.Request{StoreID: s.stores[p.home].ID, MemberID: p.id, Plate: p.plate, VehicleClassID: s.classes[p.class]}
	n := s.rnd.IntN(100)
	switch {
	case n < 62:
		r.Items = []checkout.Item{{Kind: catalog.KindService, ID: s.svc[0].ID, Qty: 1}}
	case n < 84:
		r.Items = []checkout.Item{{Kind: catalog.KindService, ID: s.svc[1].ID, Qty: 1}}
	case n < 92:
		r.Items = []checkout.Item{{Kind: catalog.KindService, ID: s.svc[0].ID, Qty: 1}, {Kind: catalog.KindGood, ID: s.goods[s.rnd.IntN(len(s.goods))], Qty: 1}}
	default:
		r.Items = []checkout.Item{{Kind: catalog.KindService, ID: s.svc[2+s.rnd.IntN(2)].ID, Qty: 1}}
	}
	q, err := s.Checkout.Quote(s.as(ctx, desk), r)
	if err != nil {
		return err
	}
	tenders := []checkout.Tender{{Kind: prefer, AmountFen: q.TotalFen, Reference: s.reference(prefer)}}
	switch {
	case q.TotalFen == 0: // a pass or a right pays all of it
		tenders = nil
	case prefer == checkout.TenderBalance && q.Balance.MissingFen > 0:
		rest := pick(s.rnd, checkout.TenderCash, checkout.TenderAlipay)
		tenders = []checkout.Tender{{Kind: rest, AmountFen: q.Balance.MissingFen, Reference: s.reference(checkout.TenderAlipay)}}
		if q.Balance.UsableFen > 0 {
			tenders = append([]checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: q.Balance.UsableFen}}, tenders...)
		}
	}
	o, err := s.Checkout.Settle(s.as(ctx, desk), r, q.QuoteHash, tenders)
	if err != nil {
		return err
	}
	if err := s.Queue.Drain(ctx); err != nil {
		return err
	}
	if s.rnd.IntN(45) == 0 { // the wrong service was rung up
		s.clk.Advance(4 * time.Minute)
		_, err = s.Checkout.Reverse(s.as(ctx, desk), o.ID, "选错了服务项目，重新结算")
	}
	return err
}

// upgrade gives old customers their tiers.
func (s *seeder) upgrade(ctx context.Context) error {
	for i, t := range []struct{ who, tier int }{{0, 1}, {1, 2}, {3, 0}, {5, 1}, {20, 0}} {
		if err := s.Members.Update(s.as(ctx, s.boss), s.people[t.who].id, member.Edit{TierID: &s.tiers[t.tier], Reason: "老顾客升级"}); err != nil {
			return fmt.Errorf("tier %d: %w", i, err)
		}
	}
	return nil
}

// finish leaves what a manager finds on a normal morning: a question, a refund, a frozen card.
func (s *seeder) finish(ctx context.Context) error {
	if err := s.question(ctx); err != nil {
		return err
	}
	p := s.people[3]
	plan, err := s.Wallet.PlanFor(s.as(ctx, s.boss), p.id, 0)
	if err != nil {
		return err
	}
	if plan.RefundableFen >= 10000 {
		if plan, err = s.Wallet.PlanFor(s.as(ctx, s.boss), p.id, 10000); err != nil {
			return err
		}
		if _, err := s.Wallet.Refund(s.as(ctx, s.boss), p.id, s.stores[p.home].ID, 10000, "顾客搬家，申请退部分余额", plan.PlanHash); err != nil {
			return err
		}
	}
	if _, err := s.Members.FreezeCard(s.as(ctx, s.boss), s.people[9].id, "顾客来电，手机遗失"); err != nil {
		return err
	}
	return s.Queue.Drain(ctx)
}

// question lets one owner ask about the latest deduction.
func (s *seeder) question(ctx context.Context) error {
	for i := range s.people[:wechatPeople] {
		p := s.people[i]
		id, err := lastPaidOrder(ctx, s.DB, p.id)
		if err != nil || id == 0 {
			continue
		}
		_, err = s.Checkout.Dispute(s.as(ctx, p.owner), id, "amount", "我记得做的是标准洗车，价格好像不对")
		return err
	}
	return nil
}
