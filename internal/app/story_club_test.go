package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// clubStory is a member's year in short: a pass, a friend, points, a present from the mall, and the rest of the pass given back.
type clubStory struct {
	*system
	owner, friend  owner
	away           caller // receptionist of another store
	manager        caller
	plan, template int64
	pass, line     int64
	saleNo         string // of the pass, at WeChat
	coupon, mat    int64
	invite, gift   string // codes
}

func TestStoryClub(t *testing.T) {
	s := &clubStory{system: start(t).open()}
	s.tell(
		chapter{"1 the shop sets up a pass, points, rewards for friends and a mall", s.setsUp},
		chapter{"2 the owner buys a pass of ten washes for the car by WeChat Pay", s.buysPass},
		chapter{"3 three washes by the pass, and what the till says where it does not help", s.washes},
		chapter{"4 a coupon goes to a friend by a link", s.gives},
		chapter{"5 the friend joins by the invite and pays, and both get points", s.friendPays},
		chapter{"6 points are short of the mat, until the owner pays too", s.collectsPoints},
		chapter{"7 the mat is handed out once, to who shows the code", s.getsMat},
		chapter{"8 the rest of the pass goes back to WeChat", s.givesBack},
		chapter{"9 the books are exact", s.ends},
	)
}

func (s *clubStory) points(o owner) int64 {
	return o.get("/api/owner/points").i("available")
}

// account is what stands on an account of the shop.
func (s *clubStory) account(name string) int64 {
	return s.count(`SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = ? AND unit = 'shop'`, name)
}

func (s *clubStory) setsUp(t *testing.T) {
	s.boss.set("points.earn_bp", 10000) // a point a yuan
	s.plan = s.passPlan(obj{})          // 200.00 for ten washes at 35.00, one plate
	s.template = s.boss.post("/api/console/coupon-templates", obj{"name": "好友洗车减十元", "kind": "amount", "offFen": 1000, "kinds": []string{"wash"}, "stack": "any", "validDays": 30,
		"giftable": true}).i("id")
	s.boss.want(http.MethodPut, "/api/console/referrals/rules", obj{"on": true, "minPaidFen": 1, "payWithinDays": 90, "backDays": 15, "dailyCap": 10, "fastCount": 5,
		"inviterGift": []obj{{"kind": "points", "n": 300}}, "friendGift": []obj{{"kind": "points", "n": 50}}, "grades": []obj{}})
	s.mat = s.boss.post("/api/console/mall/items", obj{"name": "全包围脚垫", "kind": "good", "points": 500, "stock": 2, "lowStock": 1, "perMember": 1}).i("id")
	s.away = s.hire(perm.RoleReceptionist, "何前台", s.shop.other)
	s.manager = s.shop.manager
	s.shop.desk.fails("permission.denied", http.MethodPost, "/api/console/pass-plans", obj{"name": "前台自己的卡"})
	s.owner = s.join("林晓舟")
}

func (s *clubStory) buysPass(t *testing.T) {
	shown := s.owner.get("/api/owner/pass-plans").list("items")
	if len(shown) != 1 || shown[0].i("priceFen") != 20000 || shown[0].i("listFen") != 35000 || len(shown[0].list("lines")) != 1 {
		t.Fatalf("on sale: %v", shown)
	}
	if f := s.owner.fails("pass.plate", http.MethodPost, "/api/owner/passes", obj{"planId": s.plan, "pay": "wechat"}); f.s("fields.0.field") != "plate" {
		t.Errorf("without a plate: %v", f)
	}
	begun := s.owner.post("/api/owner/passes", obj{"planId": s.plan, "plate": s.owner.plate, "pay": "wechat"})
	if begun.s("state") != "pending" || begun.i("priceFen") != 20000 || begun.s("pay.paySign") == "" {
		t.Fatalf("begun: %v", begun)
	}
	if list := s.owner.get("/api/owner/passes?state=all").list("items"); len(list) != 0 {
		t.Errorf("a pass that nobody paid: %v", list)
	}
	if q := s.shop.desk.post("/api/staff/quotes", s.visit(s.owner.id, s.owner.plate)); q.i("totalFen") != 3500 {
		t.Errorf("it pays before it is paid: %v", q)
	}
	order := s.owner.pay(begun, wxsandbox.OutcomePay)
	s.saleNo = order.OutTradeNo
	sale := fmt.Sprintf("/api/owner/sales/%d", begun.i("saleId"))
	s.eventually("the pass is there", func() bool { return s.owner.get(sale).s("state") == "paid" })
	s.pass = s.owner.get(sale).i("resultId")
	if _, err := s.Sandbox.Resend(s.saleNo); err != nil { // WeChat repeats after success too
		t.Fatal(err)
	}
	list := s.owner.get("/api/owner/passes").list("items")
	if len(list) != 1 || list[0].i("id") != s.pass || list[0].i("lines.0.left") != 10 || list[0].s("plates.0") != s.owner.plate || list[0].s("state") != "active" {
		t.Fatalf("my passes: %v", list)
	}
	s.line = list[0].i("lines.0.id")
	if owed, revenue := s.account("passes"), s.account("revenue"); owed != 20000 || revenue != 0 {
		t.Errorf("sold work is owed, not earned: passes %d, revenue %d", owed, revenue)
	}
	if s.points(s.owner) != 0 {
		t.Error("a sale of a pass brings points before it is used")
	}
	s.exact()
}

func (s *clubStory) washes(t *testing.T) {
	desk := s.shop.desk
	visit := s.visit(s.owner.id, s.owner.plate)
	for n := range int64(3) {
		q := desk.post("/api/staff/quotes", visit)
		if q.i("totalFen") != 0 || q.i("savedFen") != 3500 || q.i("benefits.covers.0.id") != s.line || len(q.list("suggestion")) != 0 {
			t.Fatalf("quote %d: %v", n, q)
		}
		r := desk.post("/api/staff/checkouts", with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{}}))
		if r.s("status") != "settled" || r.i("totalFen") != 0 || r.s("benefits.0.kind") != "pass" || r.i("benefits.0.leftAfter") != 9-n {
			t.Errorf("receipt %d: %v", n, r)
		}
		mine := s.owner.get(fmt.Sprintf("/api/owner/orders/%d", r.i("orderId")))
		if mine.i("benefits.0.leftAfter") != 9-n || !strings.Contains(mine.s("benefits.0.title"), "洗车十次卡") || mine.i("pointsEarned") > 0 || len(mine.list("tenders")) != 0 {
			t.Errorf("the owner's receipt %d: %v", n, mine)
		}
	}
	if d := s.owner.get(fmt.Sprintf("/api/owner/passes/%d", s.pass)); d.i("lines.0.left") != 7 || d.i("lines.0.used") != 3 || len(d.list("uses")) != 3 || d.s("uses.0.plate") != s.owner.plate {
		t.Errorf("the pass: %v", d)
	}
	if owed, revenue := s.account("passes"), s.account("revenue"); owed != 14000 || revenue != 6000 {
		t.Errorf("each use earns its share: passes %d, revenue %d", owed, revenue)
	}
	// Another car: the pass does not pay, and the till says why; asked for by name it is refused at its field.
	strange := s.visit(s.owner.id, "沪B99999")
	q := desk.post("/api/staff/quotes", strange)
	if q.i("totalFen") != 3500 || len(q.list("benefits.covers")) != 0 || !strings.Contains(q.s("offers.covers.0.why"), s.owner.plate) {
		t.Errorf("another car: %v", q)
	}
	byName := obj{"benefits": obj{"covers": []obj{{"kind": "pass", "id": s.line, "itemIndex": 0, "qty": 1}}}}
	if f := desk.fails("checkout.cover", http.MethodPost, "/api/staff/quotes", with(strange, byName)); f.s("fields.0.field") != "benefits.covers[0]" || !strings.Contains(f.s("fields.0.message"), s.owner.plate) {
		t.Errorf("another car: %v", f)
	}
	// One that is used up says so.
	once := s.passPlan(obj{"name": "单次卡", "priceFen": 3000, "plates": 0, "lines": []obj{{"serviceIds": []int64{s.shop.detail}, "times": 1, "listFen": 26800}}, "recharge": nil})
	desk.post("/api/staff/passes", obj{"planId": once, "memberId": s.owner.id, "storeId": s.shop.store, "tender": "cash"})
	detail := with(s.visit(s.owner.id, s.owner.plate), obj{"items": []obj{{"kind": "service", "id": s.shop.detail, "qty": 1}}})
	if r := desk.settle(detail, []obj{}...); r.i("benefits.0.leftAfter") != 0 {
		t.Errorf("the only use: %v", r)
	}
	q = desk.post("/api/staff/quotes", detail)
	if q.i("totalFen") != 26800 {
		t.Errorf("used up: %v", q)
	}
	if all := s.owner.get("/api/owner/passes?state=all").list("items"); len(all) != 2 || all[0].s("state") != "used" || all[0].s("why") != "已用完" {
		t.Errorf("used up: %v", all)
	}
	s.exact()
}

func (s *clubStory) gives(t *testing.T) {
	s.coupon = s.shop.desk.post(fmt.Sprintf("/api/staff/members/%d/coupons", s.owner.id), obj{"templateId": s.template, "reason": "老客户回馈"}).i("items.0.id")
	me := s.owner.get("/api/owner/referral")
	s.invite = me.s("code")
	if !me.b("on") || me.s("friendGift") != "50 积分" || me.s("inviterGift") != "300 积分" || !strings.HasPrefix(me.s("codeUrl"), "/media/") {
		t.Errorf("the poster: %v", me)
	}
	link := s.owner.post(fmt.Sprintf("/api/owner/coupons/%d/gift", s.coupon), nil)
	if s.gift = link.s("code"); s.gift == "" {
		t.Fatalf("link: %v", link)
	}
	// On its way it lowers no bill of whom it was.
	wash := with(s.visit(s.owner.id, "沪B99999"), obj{"benefits": obj{"couponIds": []int64{s.coupon}}})
	if f := s.shop.desk.fails("checkout.coupon", http.MethodPost, "/api/staff/quotes", wash); f.s("fields.0.field") != "benefits.couponIds[0]" || !han(f.s("fields.0.message")) {
		t.Errorf("on its way: %v", f)
	}
	s.owner.fails("coupon.gift_own", http.MethodPost, "/api/owner/coupon-gifts", obj{"code": s.gift})
}

func (s *clubStory) friendPays(t *testing.T) {
	desk := s.shop.desk
	v := s.visitor("陈思远")
	if page := v.get("/api/owner/coupon-gifts/" + s.gift); page.s("state") != "open" || strings.Contains(page.String(), "林晓舟") {
		t.Errorf("who has not joined sees %v", page)
	}
	v.fails("member.not_joined", http.MethodPost, "/api/owner/coupon-gifts", obj{"code": s.gift})
	v.plate = "沪C20001"
	v.id = v.post("/api/owner/join", obj{"charterVersion": s.charter(), "phoneToken": v.provePhone(), "name": "陈思远", "inviteCode": s.invite,
		"vehicle": obj{"plate": v.plate, "vehicleClassId": s.shop.class}}).i("memberId")
	s.friend = v
	if c := v.post("/api/owner/coupon-gifts", obj{"code": s.gift}); c.i("id") != s.coupon || c.s("state") != "available" || c.b("mayGift") {
		t.Errorf("taken: %v", c)
	}
	s.join("周子涵").fails("coupon.gift_over", http.MethodPost, "/api/owner/coupon-gifts", obj{"code": s.gift})
	if list := s.owner.get("/api/owner/coupons").list("items"); len(list) != 0 {
		t.Errorf("the giver still has %v", list)
	}
	s.later(10 * time.Second)
	if a, b := s.points(s.owner), s.points(v); a != 0 || b != 0 {
		t.Errorf("rewarded before anybody paid: %d and %d", a, b)
	}
	s.eventually("the sweep has looked at the friend", func() bool {
		s.later(time.Second)
		return s.owner.get("/api/owner/referral").s("friends.0.state") == "pending"
	})
	if mine := s.owner.get("/api/owner/referral"); mine.i("rewarded") != 0 || mine.s("friends.0.name") != "陈**" {
		t.Errorf("the friend: %v", mine)
	}
	// The friend's bill: the coupon is proposed, the owner's pass is not there.
	q := desk.post("/api/staff/quotes", s.visit(v.id, v.plate))
	if q.i("totalFen") != 2800 || q.i("savedFen") != 700 || len(q.list("offers.covers")) != 0 || len(q.list("benefits.covers")) != 0 {
		t.Fatalf("the floor of the wash is 28.00: %v", q)
	}
	r := desk.settle(s.visit(v.id, v.plate), tender("cash", 2800))
	if r.s("benefits.0.kind") != "coupon" || r.i("pointsEarned") != 28 {
		t.Errorf("the friend's receipt: %v", r)
	}
	s.later(10 * time.Second)
	s.eventually("both are rewarded", func() bool { return s.points(s.owner) == 300 && s.points(v) == 78 })
	s.later(20 * time.Second)
	s.later(20 * time.Second)
	if a, b := s.points(s.owner), s.points(v); a != 300 || b != 78 {
		t.Errorf("rewarded again: %d and %d", a, b)
	}
	if mine := s.owner.get("/api/owner/referral"); mine.i("rewarded") != 1 || mine.s("friends.0.state") != "rewarded" {
		t.Errorf("the friend: %v", mine)
	}
	v.fails("referral.bound", http.MethodPost, "/api/owner/referral/bind", obj{"code": s.invite})
	for event, want := range map[string]int64{"referral_rewarded": 2, "coupon_received": 2, "pass_sold": 2} { // the giver of a coupon hears of it twice
		if n := s.count(`SELECT COUNT(*) FROM notify_messages WHERE event = ?`, event); n != want {
			t.Errorf("told of %s %d times", event, n)
		}
	}
	s.exact()
}

func (s *clubStory) collectsPoints(t *testing.T) {
	item := fmt.Sprintf("/api/owner/mall/items/%d", s.mat)
	ask := obj{"itemId": s.mat, "qty": 1, "points": 500, "storeId": s.shop.store}
	if o := s.owner.get(item); o.s("why") != "积分不足" || o.i("stock") != 2 {
		t.Errorf("the mat: %v", o)
	}
	f := s.owner.fails("points.insufficient", http.MethodPost, "/api/owner/mall/orders", ask)
	if !strings.Contains(f.s("message"), "300") && !strings.Contains(f.s("message"), "200") {
		t.Errorf("short, without saying by how much: %v", f)
	}
	if o := s.owner.get(item); o.i("stock") != 2 || len(s.owner.get("/api/owner/mall/orders").list("items")) != 0 {
		t.Errorf("a refusal took something: %v", o)
	}
	// 500.00 and 80.00 of bonus by WeChat; paying by it brings points for the principal only.
	s.owner.topup()
	if s.points(s.owner) != 300 {
		t.Errorf("a top-up is no purchase, %d points", s.points(s.owner))
	}
	r := s.shop.desk.settle(with(s.visit(s.owner.id, s.owner.plate), obj{"items": []obj{{"kind": "service", "id": s.shop.detail, "qty": 1}}}), tender("balance", 26800))
	if p := r.i("tenders.0.principalFen"); p >= 26800 || r.i("pointsEarned") != p/100 {
		t.Errorf("the receipt: %v", r)
	}
	if got := s.points(s.owner); got != 300+r.i("pointsEarned") || got < 500 {
		t.Errorf("%d points", got)
	}
	if o := s.owner.get(item); o.s("why") != "" {
		t.Errorf("the mat: %v", o)
	}
	s.exact()
}

func (s *clubStory) getsMat(t *testing.T) {
	desk := s.shop.desk
	had := s.points(s.owner)
	ask := obj{"itemId": s.mat, "qty": 1, "points": 500, "storeId": s.shop.store}
	s.owner.fails("mall.changed", http.MethodPost, "/api/owner/mall/orders", with(ask, obj{"points": 1}))
	k := key("redeem-the-mat")
	o := s.owner.post("/api/owner/mall/orders", ask, k)
	if again := s.owner.post("/api/owner/mall/orders", ask, k); again.i("order.id") != o.i("order.id") {
		t.Errorf("a double tap made two orders: %v", again)
	}
	id, code := o.i("order.id"), o.s("order.pickupCode")
	if o.s("order.state") != "ready" || len(code) != 10 || o.at("pay") != nil || s.points(s.owner) != had-500 {
		t.Fatalf("redeemed: %v, %d points", o, s.points(s.owner))
	}
	s.owner.fails("mall.limit", http.MethodPost, "/api/owner/mall/orders", ask)
	s.friend.fails("not_found", http.MethodGet, fmt.Sprintf("/api/owner/mall/orders/%d", id), nil)
	if low := s.boss.get("/api/console/mall/low").list("items"); len(low) != 1 || low[0].i("stock") != 1 {
		t.Errorf("little is left: %v", low)
	}
	// Another store, a wrong code, then the right one, and then not again.
	s.away.fails("mall.other_store", http.MethodPost, "/api/staff/mall/collect", obj{"code": code})
	wrong := strings.Map(func(r rune) rune { return '0' + ('9'-r+4)%10 }, code)
	if f := desk.fails("mall.code_unknown", http.MethodPost, "/api/staff/mall/collect", obj{"code": "12"}); f.s("fields.0.field") != "code" {
		t.Errorf("no code: %v", f)
	}
	desk.fails("mall.code_unknown", http.MethodPost, "/api/staff/mall/collect", obj{"code": wrong})
	found := desk.post("/api/staff/mall/collect", obj{"code": code})
	if found.i("id") != id || found.s("memberName") == "林晓舟" || found.at("pickupCode") != nil || found.s("title") != "全包围脚垫" {
		t.Errorf("found: %v", found)
	}
	deliver := fmt.Sprintf("/api/staff/mall/orders/%d/deliver", id)
	desk.fails("mall.code_unknown", http.MethodPost, deliver, obj{"code": wrong})
	s.away.fails("mall.other_store", http.MethodPost, deliver, obj{"code": code})
	if got := desk.post(deliver, obj{"code": code}); got.s("state") != "collected" {
		t.Errorf("handed out: %v", got)
	}
	for range 2 {
		if f := desk.fails("mall.state", http.MethodPost, deliver, obj{"code": code}); !strings.Contains(f.s("message"), "已经领取") {
			t.Errorf("handed out again: %v", f)
		}
	}
	if got := s.owner.get(fmt.Sprintf("/api/owner/mall/orders/%d", id)); got.s("state") != "collected" || got.at("pickupCode") != nil || got.b("mayCancel") {
		t.Errorf("the owner sees: %v", got)
	}
	s.owner.fails("mall.state", http.MethodPost, fmt.Sprintf("/api/owner/mall/orders/%d/cancel", id), obj{})
	if s.points(s.owner) != had-500 {
		t.Errorf("%d points", s.points(s.owner))
	}
	s.exact()
}

func (s *clubStory) givesBack(t *testing.T) {
	one := fmt.Sprintf("/api/console/passes/%d", s.pass)
	estimate := s.owner.get(fmt.Sprintf("/api/owner/passes/%d/refund-plan", s.pass))
	plan := s.manager.get(one + "/refund-plan?fault=customer")
	// 200.00 paid, three used at the agreed 35.00.
	if plan.s("rule") != "customer" || plan.i("usedFen") != 10500 || plan.i("refundFen") != 9500 || len(plan.list("parts")) != 1 || plan.s("parts.0.method") != "wechat" || plan.b("parts.0.byHand") ||
		plan.at("explain") == nil {
		t.Fatalf("plan: %v", plan)
	}
	if estimate.i("refundFen") != plan.i("refundFen") {
		t.Errorf("the owner was shown %v", estimate)
	}
	if shop := s.manager.get(one + "/refund-plan?fault=shop"); shop.i("refundFen") != 14000 {
		t.Errorf("by the shop's fault the used ones count at the discounted price: %v", shop)
	}
	ask := obj{"fault": "customer", "reason": "顾客换车", "planHash": plan.s("planHash")}
	s.shop.desk.fails("permission.denied", http.MethodPost, one+"/refund", ask)
	s.manager.fails("pass.refund_plan_changed", http.MethodPost, one+"/refund", with(ask, obj{"fault": "shop"}))
	k := key("refund-the-pass")
	s.manager.post(one+"/refund", ask, k)
	s.manager.post(one+"/refund", ask, k)
	s.manager.fails("pass.state", http.MethodPost, one+"/refund", ask)
	s.eventually("WeChat gives the money back", func() bool {
		s.later(10 * time.Second)
		return s.count(`SELECT COUNT(*) FROM sale_refunds WHERE state = 'done'`) == 1
	})
	var back []wxsandbox.Refund
	for _, r := range s.Sandbox.Snapshot().Refunds {
		if r.OutTradeNo == s.saleNo {
			back = append(back, r)
		}
	}
	if len(back) != 1 || back[0].RefundFen != 9500 || back[0].TotalFen != 20000 || back[0].Status != "SUCCESS" {
		t.Errorf("at WeChat: %+v", back)
	}
	p := s.owner.get(fmt.Sprintf("/api/owner/passes/%d", s.pass))
	if p.s("state") != "refunded" || p.i("refundedFen") != 9500 || p.b("canRefund") || p.i("lines.0.left") != 0 {
		t.Errorf("the pass: %v", p)
	}
	if owed := s.account("passes"); owed != 0 {
		t.Errorf("passes still owe %d", owed)
	}
	if q := s.shop.desk.post("/api/staff/quotes", s.visit(s.owner.id, s.owner.plate)); q.i("totalFen") != 3500 || len(q.list("benefits.covers")) != 0 {
		t.Errorf("it pays after it was given back: %v", q)
	}
	s.shop.desk.fails("checkout.cover", http.MethodPost, "/api/staff/quotes", with(s.visit(s.owner.id, s.owner.plate), obj{"benefits": obj{"covers": []obj{{"kind": "pass", "id": s.line, "itemIndex": 0, "qty": 1}}}}))
	if list := s.owner.get("/api/owner/passes").list("items"); len(list) != 0 {
		t.Errorf("open passes: %v", list)
	}
}

func (s *clubStory) ends(t *testing.T) {
	s.later(time.Minute)
	s.exact()
	l := s.boss.get("/api/console/reports/liability")
	if l.i("passesFen") > 0 {
		t.Errorf("the cockpit still owes passes: %v", l)
	}
	if n := s.count(`SELECT COUNT(*) FROM coupon_coupons WHERE state = 'used'`); n != 1 {
		t.Errorf("%d coupons used", n)
	}
	for _, secret := range []string{"林晓舟", s.owner.p.Phone, s.friend.p.Phone, s.owner.plate} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log tells of %s", secret)
		}
	}
}
