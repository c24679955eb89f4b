package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/perm"
)

// refused is a request that must be explained at its field.
type refused struct {
	name         string
	who          caller
	method, path string
	body         obj
	code         string
	field, says  string // of the first complaint; says is a part of it
}

// explain sends each request, and fails where it is not refused with its code and a Chinese sentence at its field.
func (s *system) explain(all []refused) {
	s.t.Helper()
	print := func() string {
		out := s.footprint()
		for _, table := range []string{"pass_plans", "pass_passes", "pass_uses", "tier_tiers", "tier_plans", "coupon_templates", "coupon_claims", "coupon_holds", "campaign_rules", "mall_items", "mall_orders", "group_invites", "sale_sales"} {
			out += fmt.Sprint(" ", s.count(`SELECT COUNT(*) FROM `+table))
		}
		return out
	}
	before := print()
	for _, x := range all {
		s.sub(x.name, func(t *testing.T) {
			f := x.who.fails(x.code, x.method, x.path, x.body)
			if f.i("status") >= 500 {
				t.Errorf("%v", f)
			}
			for _, c := range f.list("fields") {
				if c.s("field") == x.field {
					if !han(c.s("message")) || !strings.Contains(c.s("message"), x.says) {
						t.Errorf("%s says %q, want %q", x.field, c.s("message"), x.says)
					}
					return
				}
			}
			t.Errorf("nothing is said at %s: %v", x.field, f)
		})
	}
	if after := print(); after != before {
		s.t.Errorf("a refusal left something: %s, was %s", after, before)
	}
}

func named(kind string, id int64) obj {
	if kind == "coupon" {
		return obj{"benefits": obj{"couponIds": []int64{id}}}
	}
	return obj{"benefits": obj{"covers": []obj{{"kind": kind, "id": id, "itemIndex": 0, "qty": 1}}}}
}

const quotes, settles = "/api/staff/quotes", "/api/staff/checkouts"

// A pass that does not pay, for each reason that there is.
func TestPassesThatDoNotPay(t *testing.T) {
	s := start(t).open()
	anna, bob := s.join("林晓舟"), s.join("陈思远")
	desk := s.worker(perm.RoleReceptionist, "周前台", s.shop.store)
	sell := func(o owner, more obj) (pass, line int64) {
		t.Helper()
		plan := s.passPlan(with(obj{"name": fmt.Sprintf("卡 %d", s.keys.Add(1)), "plates": 0}, more))
		store := s.shop.store
		if more["storeIds"] != nil {
			store = s.shop.other
		}
		id := s.boss.post("/api/staff/passes", obj{"planId": plan, "memberId": o.id, "storeId": store, "plate": o.plate, "tender": "cash"}).i("resultId")
		return id, o.get(fmt.Sprintf("/api/owner/passes/%d", id)).i("lines.0.id")
	}
	_, expired := sell(anna, obj{"validMonths": 0, "validDays": 1})
	s.later(72 * time.Hour)
	s.eventually("the nightly run ends the pass", func() bool { return s.count(`SELECT COUNT(*) FROM pass_passes WHERE state = 'expired'`) == 1 })
	anna, bob, s.boss, desk.caller = anna.again(), bob.again(), s.login(), s.staffLogin(desk.p, "")
	paused, pausedLine := sell(anna, obj{})
	anna.post(fmt.Sprintf("/api/owner/passes/%d/pause", paused), nil)
	_, bound := sell(anna, obj{"plates": 1})
	_, elsewhere := sell(anna, obj{"storeIds": []int64{s.shop.other}})
	_, daily := sell(anna, obj{"perDay": 1})
	_, used := sell(anna, obj{"priceFen": 3000, "lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 1, "listFen": 3500}}, "recharge": nil})
	given, givenLine := sell(anna, obj{})
	anna.post(fmt.Sprintf("/api/owner/passes/%d/gift", given), nil)
	back, backLine := sell(anna, obj{})
	plan := s.boss.get(fmt.Sprintf("/api/console/passes/%d/refund-plan?fault=shop", back))
	s.boss.post(fmt.Sprintf("/api/console/passes/%d/refund", back), obj{"fault": "shop", "reason": "卖错了", "planHash": plan.s("planHash")})
	_, others := sell(bob, obj{})
	visit := s.visit(anna.id, anna.plate)
	for _, line := range []int64{daily, used} {
		desk.settle(with(visit, named("pass", line)), []obj{}...)
	}
	strange := s.visit(anna.id, "沪B99999")
	detail := with(visit, obj{"items": []obj{{"kind": "service", "id": s.shop.detail, "qty": 1}}})
	at, cover := "benefits.covers[0]", "checkout.cover"
	twice := obj{"benefits": obj{"covers": []obj{{"kind": "pass", "id": bound, "itemIndex": 0, "qty": 2}}}}
	nowhere := obj{"benefits": obj{"covers": []obj{{"kind": "pass", "id": bound, "itemIndex": 7, "qty": 1}}}}
	s.explain([]refused{
		{"expired", desk.caller, http.MethodPost, quotes, with(visit, named("pass", expired)), cover, at, "到期"},
		{"paused", desk.caller, http.MethodPost, quotes, with(visit, named("pass", pausedLine)), cover, at, "已暂停"},
		{"wrong plate", desk.caller, http.MethodPost, quotes, with(strange, named("pass", bound)), cover, at, "仅限 " + anna.plate},
		{"wrong store", desk.caller, http.MethodPost, quotes, with(visit, named("pass", elsewhere)), cover, at, "不能在这家门店使用"},
		{"used up", desk.caller, http.MethodPost, quotes, with(visit, named("pass", used)), cover, at, "已用完"},
		{"used today", desk.caller, http.MethodPost, quotes, with(visit, named("pass", daily)), cover, at, "每天限 1 次"},
		{"on its way to a friend", desk.caller, http.MethodPost, quotes, with(visit, named("pass", givenLine)), cover, at, "已转赠"},
		{"given back", desk.caller, http.MethodPost, quotes, with(visit, named("pass", backLine)), cover, at, "已退卡"},
		{"somebody else's", desk.caller, http.MethodPost, quotes, with(visit, named("pass", others)), cover, at, "不属于这位会员"},
		{"none at all", desk.caller, http.MethodPost, quotes, with(visit, named("pass", 4242)), cover, at, "没有"},
		{"for another service", desk.caller, http.MethodPost, quotes, with(detail, named("pass", pausedLine)), cover, at, "已暂停"},
		{"more than there is on the bill", desk.caller, http.MethodPost, quotes, with(visit, twice), cover, at + ".qty", "超过"},
		{"on no item", desk.caller, http.MethodPost, quotes, with(visit, nowhere), cover, at + ".itemIndex", "没有"},
		{"a walk-in names somebody's", desk.caller, http.MethodPost, quotes, with(s.visit(0, anna.plate), named("pass", bound)), cover, at, "没有"},
		{"settled without a quote", desk.caller, http.MethodPost, settles, with(with(visit, named("pass", used)), obj{"quoteHash": "0000000000", "tenders": []obj{}}), cover, at, "已用完"},
		{"bought without a plate", anna.caller, http.MethodPost, "/api/owner/passes", obj{"planId": s.passPlan(obj{}), "pay": "wechat"}, "pass.plate", "plate", ""},
		{"bought for no plate", anna.caller, http.MethodPost, "/api/owner/passes", obj{"planId": s.passPlan(obj{"name": "另一种"}), "plate": "火星1号", "pay": "wechat"}, "pass.plate", "plate", ""},
	})
	s.exact()
}

// A coupon that does not count, points and stock that are gone.
func TestCouponsAndPointsThatDoNotCount(t *testing.T) {
	s := start(t).open()
	anna, bob := s.join("林晓舟"), s.join("陈思远")
	desk := s.worker(perm.RoleReceptionist, "周前台", s.shop.store)
	template := func(more obj) int64 {
		t.Helper()
		return s.boss.post("/api/console/coupon-templates", with(obj{"name": fmt.Sprintf("券 %d", s.keys.Add(1)), "kind": "amount", "offFen": 500, "kinds": []string{"wash"}, "stack": "any", "validDays": 30, "giftable": true}, more)).i("id")
	}
	issue := func(o owner, template int64) int64 {
		t.Helper()
		return desk.post(fmt.Sprintf("/api/staff/members/%d/coupons", o.id), obj{"templateId": template, "reason": "服务补偿"}).i("items.0.id")
	}
	over := issue(anna, template(obj{"validDays": 1}))
	s.later(72 * time.Hour)
	s.eventually("the coupon is over", func() bool { return s.count(`SELECT COUNT(*) FROM coupon_coupons WHERE state = 'expired'`) == 1 })
	anna, bob, s.boss, desk.caller = anna.again(), bob.again(), s.login(), s.staffLogin(desk.p, "")
	s.boss.set("points.max_pay_bp", 5000)
	plain := template(obj{})
	twoCarts, used, void, away, others := issue(anna, plain), issue(anna, plain), issue(anna, plain), issue(anna, plain), issue(bob, plain)
	elsewhere, later := issue(anna, template(obj{"storeIds": []int64{s.shop.other}})), issue(anna, template(obj{"afterDays": 3}))
	dear := issue(anna, template(obj{"thresholdFen": 10000}))
	suv := issue(anna, template(obj{"classIds": []int64{s.shop.suv}}))
	anna.post(fmt.Sprintf("/api/owner/coupons/%d/gift", away), nil)
	s.boss.post(fmt.Sprintf("/api/console/coupons/%d/void", void), obj{"reason": "发错了"})
	visit := s.visit(anna.id, anna.plate)
	desk.settle(with(visit, named("coupon", used)), tender("cash", 3000))
	// One coupon in two carts: both were quoted before either settled, and the first waits for WeChat.
	cart := with(visit, named("coupon", twoCarts))
	first, second := desk.ask(cart, tender("wechat_native", 3000)), desk.ask(cart, tender("cash", 3000))
	waiting := desk.post(settles, first)
	// Points and stock: 300 points, a mat that both want, one of them.
	for _, o := range []owner{anna, bob} {
		s.boss.post(fmt.Sprintf("/api/console/members/%d/points", o.id), obj{"points": 300, "reason": "老会员补积分"})
	}
	mat := s.boss.post("/api/console/mall/items", obj{"name": "脚垫", "kind": "good", "points": 200, "stock": 1}).i("id")
	lamp := s.boss.post("/api/console/mall/items", obj{"name": "氛围灯", "kind": "good", "points": 500, "stock": 5}).i("id")
	two := s.boss.post("/api/console/mall/items", obj{"name": "毛巾", "kind": "good", "points": 1, "stock": 2}).i("id")
	tier := s.boss.post("/api/console/tiers", obj{"name": "金卡", "color": "#CC9900", "rank": 9, "discountBp": 9000}).i("id")
	gold := s.boss.post("/api/console/mall/items", obj{"name": "金卡礼盒", "kind": "good", "points": 1, "stock": 2, "minTierId": tier}).i("id")
	redeem := func(item, points int64) obj {
		return obj{"itemId": item, "qty": 1, "points": points, "storeId": s.shop.store}
	}
	if o := bob.get(fmt.Sprintf("/api/owner/mall/items/%d", mat)); o.s("why") != "" {
		t.Fatalf("Bob was shown %v", o)
	}
	anna.post("/api/owner/mall/orders", redeem(mat, 200))
	quote := desk.post(quotes, visit)
	pay := with(visit, obj{"quoteHash": quote.s("quoteHash"), "tenders": []obj{tender("points", 500), tender("cash", 3000)}})
	orders, at, coupon := "/api/owner/mall/orders", "benefits.couponIds[0]", "checkout.coupon"
	s.explain([]refused{
		{"somebody else's", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", others)), coupon, at, "不属于这位会员"},
		{"in two carts, quoted", desk.caller, http.MethodPost, quotes, cart, coupon, at, "另一单"},
		{"in two carts, settled", desk.caller, http.MethodPost, settles, second, coupon, at, "另一单"},
		{"used", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", used)), coupon, at, "已经用过"},
		{"void", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", void)), coupon, at, "已作废"},
		{"expired", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", over)), coupon, at, "到期"},
		{"on its way to a friend", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", away)), coupon, at, "已转赠"},
		{"for another store", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", elsewhere)), coupon, at, "本店"},
		{"for another class", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", suv)), coupon, at, "车型"},
		{"not yet", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", later)), coupon, at, "起可用"},
		{"too small a bill", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", dear)), coupon, at, "还差"},
		{"none at all", desk.caller, http.MethodPost, quotes, with(visit, named("coupon", 4242)), coupon, at, "没有"},
		{"twice on one bill", desk.caller, http.MethodPost, quotes, with(visit, obj{"benefits": obj{"couponIds": []int64{dear, dear}}}), coupon, "benefits.couponIds[1]", "重复"},
		{"points short at the till", desk.caller, http.MethodPost, settles, pay, "checkout.points", "tenders[0].amountFen", "最多"},
		{"points short in the mall", anna.caller, http.MethodPost, orders, redeem(lamp, 500), "points.insufficient", "points", "可用 100 分"},
		{"stock gone at confirm", bob.caller, http.MethodPost, orders, redeem(mat, 200), "mall.out_of_stock", "qty", "已兑完"},
		{"fewer left than wanted", bob.caller, http.MethodPost, orders, with(redeem(two, 1), obj{"qty": 3}), "mall.out_of_stock", "qty", "最多 2 件"},
		{"not of that tier", bob.caller, http.MethodPost, orders, redeem(gold, 1), "mall.tier", "itemId", ""},
		{"nowhere to collect", bob.caller, http.MethodPost, orders, obj{"itemId": two, "qty": 1, "points": 1}, "request.invalid", "storeId", "门店"},
		{"sent although it is not", bob.caller, http.MethodPost, orders, with(redeem(two, 1), obj{"delivery": "ship"}), "request.invalid", "delivery", "到店"},
		{"none of it", bob.caller, http.MethodPost, orders, with(redeem(two, 1), obj{"qty": 0}), "request.invalid", "qty", ""},
	})
	// What is given up frees the coupon for the other cart.
	desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", waiting.i("orderId")), nil)
	if r := desk.post(settles, second); r.s("benefits.0.kind") != "coupon" {
		t.Errorf("%v", r)
	}
	s.exact()
}

// Rules that make no sense, and what cannot be changed because somebody relies on it.
func TestRulesThatMakeNoSense(t *testing.T) {
	s := start(t).open()
	anna := s.join("林晓舟")
	line := func(more obj) []obj {
		return []obj{with(obj{"serviceIds": []int64{s.shop.wash}, "times": 10, "listFen": 3500}, more)}
	}
	plan := func(more obj) obj {
		return with(obj{"name": "十次卡", "kind": "times", "priceFen": 20000, "validMonths": 12, "onSale": true, "lines": line(nil)}, more)
	}
	sold := s.boss.post("/api/console/pass-plans", plan(nil)).i("id")
	pass := s.shop.desk.post("/api/staff/passes", obj{"planId": sold, "memberId": anna.id, "storeId": s.shop.store, "tender": "cash"}).i("resultId")
	tier := func(more obj) obj {
		return with(obj{"name": "银卡", "color": "#999999", "rank": 3, "discountBp": 9500}, more)
	}
	inUse := s.boss.post("/api/console/tiers", tier(nil)).i("id")
	s.boss.want(http.MethodPut, fmt.Sprintf("/api/console/members/%d/tier", anna.id), obj{"tierId": inUse, "reason": "老客户"})
	coupon := func(more obj) obj {
		return with(obj{"name": "减十元", "kind": "amount", "offFen": 1000, "stack": "any", "validDays": 30}, more)
	}
	template := s.boss.post("/api/console/coupon-templates", coupon(nil)).i("id")
	item := func(more obj) obj {
		return with(obj{"name": "毛巾", "kind": "good", "points": 10, "stock": 5}, more)
	}
	rules := func(more obj) obj {
		return with(obj{"version": s.boss.get("/api/console/points/rules").i("version"), "kinds": []obj{}, "items": []obj{}, "tiers": []obj{}, "days": []obj{}}, more)
	}
	friends := func(more obj) obj {
		return with(obj{"on": true, "minPaidFen": 1, "payWithinDays": 90, "backDays": 15, "dailyCap": 10, "fastCount": 5, "inviterGift": []obj{{"kind": "points", "n": 1}}, "friendGift": []obj{}, "grades": []obj{}}, more)
	}
	gift := func(more obj) obj {
		return with(obj{"name": "满百送", "trigger": "after_purchase", "terms": obj{"minFen": 10000}, "gift": []obj{{"kind": "points", "n": 1}}}, more)
	}
	prog := func(p obj) obj { return tier(obj{"programme": p}) }
	day := func(from, to int, more obj) obj {
		return with(obj{"name": "双倍日", "from": s.day(from), "to": s.day(to), "bp": 20000}, more)
	}
	now := s.clk.Now()
	claim := func(more obj) obj {
		return with(obj{"templateId": template, "title": "开业领券", "stock": 10, "from": now, "until": now.Add(time.Hour)}, more)
	}
	family := anna.post("/api/owner/groups", obj{"name": "林家"}).i("id")
	place := func(rules obj) obj {
		return obj{"cardKind": "driver", "rules": with(obj{"plates": []string{}, "serviceIds": []int64{}, "weekdays": []int{}}, rules)}
	}
	const bad = "request.invalid"
	post, put := http.MethodPost, http.MethodPut
	on := func(who caller, method, path string, body obj, code, field, says string) refused {
		return refused{fmt.Sprintf("%s %s %s", path, field, says), who, method, path, body, code, field, says}
	}
	plans, tiers, memberships, coupons, claims := "/api/console/pass-plans", "/api/console/tiers", "/api/console/membership-plans", "/api/console/coupon-templates", "/api/console/coupon-claims"
	mall, earning, referrals, gifts := "/api/console/mall/items", "/api/console/points/rules", "/api/console/referrals/rules", "/api/console/gift-rules"
	invites := fmt.Sprintf("/api/owner/groups/%d/invites", family)
	member := obj{"name": "金会员", "kind": "discount", "priceFen": 19900, "months": 12, "tierId": inUse}
	setting := func(key string, value any) obj { return obj{"values": []obj{{"key": key, "value": value}}} }
	s.explain([]refused{
		// tiers: a discount of 0 % and of 1000 %
		on(s.boss, post, tiers, tier(obj{"name": "金卡", "discountBp": 0}), bad, "discountBp", "大于 0"),
		on(s.boss, post, tiers, tier(obj{"name": "金卡", "discountBp": 100000}), bad, "discountBp", "100%"),
		on(s.boss, post, tiers, tier(obj{"name": "金卡", "discountBp": -500}), bad, "discountBp", "大于 0"),
		on(s.boss, post, tiers, prog(obj{"discounts": []obj{{"kind": "wash", "bp": 0}}}), bad, "programme.discounts[0].bp", "大于 0"),
		on(s.boss, post, tiers, prog(obj{"discounts": []obj{{"kind": "wash", "bp": 9000}, {"kind": "wash", "bp": 8000}}}), bad, "programme.discounts[1].kind", "一个折扣"),
		on(s.boss, post, tiers, prog(obj{"finalBp": 20000}), bad, "programme.finalBp", "100%"),
		on(s.boss, post, tiers, prog(obj{"memberPrices": []obj{{"serviceId": s.shop.wash, "priceFen": 0}}}), bad, "programme.memberPrices[0].priceFen", "大于 0"),
		on(s.boss, post, tiers, prog(obj{"memberPrices": []obj{{"serviceId": 4242, "priceFen": 100}}}), bad, "programme.memberPrices[0].serviceId", ""),
		on(s.boss, post, tiers, prog(obj{"rights": []obj{{"kind": "free_use", "title": "免费洗车", "serviceIds": []int64{s.shop.wash}, "times": 0, "period": "month"}}}), bad, "programme.rights[0].times", "1 至 366"),
		on(s.boss, post, tiers, prog(obj{"rule": obj{"match": "any", "measures": []obj{{"kind": "spend_year", "atLeast": -1}}}}), bad, "programme.rule.measures[0].atLeast", ""),
		on(s.boss, post, tiers, tier(obj{"name": "银卡"}), "tier.name_taken", "name", ""),
		// paid memberships
		on(s.boss, post, memberships, with(member, obj{"priceFen": -1}), bad, "priceFen", "大于 0"),
		on(s.boss, post, memberships, with(member, obj{"months": 0}), bad, "months", "1 至 60"),
		on(s.boss, post, memberships, with(member, obj{"tierId": 4242}), "tier.unknown", "tierId", ""),
		// passes, and a plan that is sold
		on(s.boss, post, plans, plan(obj{"name": "甲", "priceFen": -1}), bad, "priceFen", ""),
		on(s.boss, post, plans, plan(obj{"name": "甲", "priceFen": 40000}), bad, "priceFen", "高于"),
		on(s.boss, post, plans, plan(obj{"name": "甲", "lines": line(obj{"times": 0})}), bad, "lines[0].times", "次数"),
		on(s.boss, post, plans, plan(obj{"name": "甲", "lines": line(obj{"times": -3})}), bad, "lines[0].times", ""),
		on(s.boss, post, plans, plan(obj{"name": "甲", "lines": line(obj{"serviceIds": []int64{4242}})}), bad, "lines[0].serviceIds[0]", ""),
		on(s.boss, post, plans, plan(obj{"name": "甲", "kind": "unlimited", "lines": line(obj{"times": 0})}), bad, "perDay", "每天"),
		on(s.boss, post, plans, plan(obj{"name": "甲", "validDays": 30}), bad, "validDays", "只填一个"),
		on(s.boss, post, plans, plan(obj{"name": "甲", "saleFrom": s.day(5), "saleTo": s.day(1)}), bad, "saleTo", "早于"),
		on(s.boss, post, plans, plan(obj{"name": "甲", "storeIds": []int64{4242}}), bad, "storeIds[0]", ""),
		on(s.boss, post, plans, plan(nil), "pass.plan_name_taken", "name", ""),
		on(s.boss, put, fmt.Sprintf("%s/%d", plans, sold), plan(obj{"stock": 0}), bad, "stock", "已经售出 1 张"),
		// coupons and claim pages
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "offFen": 0}), bad, "offFen", "减免金额"),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "offFen": -1}), bad, "offFen", ""),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "thresholdFen": 500}), bad, "thresholdFen", "门槛"),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "kind": "percent", "payBp": 0}), bad, "payBp", "折"),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "kind": "percent", "payBp": 100000}), bad, "payBp", ""),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "kind": "service"}), bad, "serviceIds", "免费的项目"),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "validDays": 0, "validFrom": s.day(5), "validTo": s.day(1)}), bad, "validTo", "早于开始"),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "validDays": 0, "validFrom": s.day(-5), "validTo": s.day(-1)}), bad, "validTo", "过去"),
		on(s.boss, post, coupons, coupon(obj{"name": "乙", "validFrom": s.day(1), "validTo": s.day(5)}), bad, "validDays", "只能选一种"),
		on(s.boss, post, coupons, coupon(nil), "coupon.name_taken", "name", ""),
		on(s.boss, post, claims, claim(obj{"until": now.Add(-time.Hour)}), bad, "until", ""),
		on(s.boss, post, claims, claim(obj{"stock": 0}), bad, "stock", ""),
		on(s.boss, post, claims, claim(obj{"templateId": 4242}), "coupon.template_unknown", "templateId", ""),
		// points: rates, and periods that overlap
		on(s.boss, put, earning, rules(obj{"kinds": []obj{{"kind": "wash", "bp": -1}}}), bad, "kinds[0].bp", ""),
		on(s.boss, put, earning, rules(obj{"kinds": []obj{{"kind": "wash", "bp": 10000}, {"kind": "wash", "bp": 1}}}), "points.rules", "kinds[1].kind", "重复"),
		on(s.boss, put, earning, rules(obj{"tiers": []obj{{"tierId": inUse, "bp": 2000000}}}), bad, "tiers[0].bp", ""),
		on(s.boss, put, earning, rules(obj{"days": []obj{day(0, 5, nil), day(5, 9, obj{"name": "周年庆"})}}), "points.rules", "days[1].from", "重叠"),
		on(s.boss, put, earning, rules(obj{"days": []obj{day(0, 30, obj{"weekdays": []int{1}}), day(0, 30, obj{"name": "月初", "monthDays": []int{1, 2, 3, 4, 5, 6, 7}})}}), "points.rules", "days[1].from", "重叠"),
		on(s.boss, put, earning, rules(obj{"days": []obj{day(5, 1, nil)}}), "points.rules", "days[0].to", "早于"),
		on(s.boss, put, "/api/console/settings", setting("points.earn_bp", -1), bad, "values[0].value", ""),
		on(s.boss, put, "/api/console/settings", setting("points.max_pay_bp", 10001), bad, "values[0].value", ""),
		on(s.boss, put, "/api/console/settings", setting("points.yuan_rate", 0), bad, "values[0].value", ""),
		// presents, friends, the mall
		on(s.boss, post, gifts, gift(obj{"terms": obj{"minFen": 0}}), bad, "terms.minFen", "满多少"),
		on(s.boss, post, gifts, gift(obj{"gift": []obj{}}), "campaign.gift", "gift", ""),
		on(s.boss, post, gifts, gift(obj{"gift": []obj{{"kind": "coupon", "id": 4242, "n": 1}}}), "campaign.gift", "gift[0].id", ""),
		on(s.boss, post, gifts, gift(obj{"gift": []obj{{"kind": "points", "n": 0}}}), bad, "gift[0].n", ""),
		on(s.boss, post, gifts, gift(obj{"startsAt": now, "endsAt": now.Add(-time.Hour)}), bad, "endsAt", "晚于"),
		on(s.boss, put, referrals, friends(obj{"inviterGift": []obj{}}), bad, "inviterGift", "奖励"),
		on(s.boss, put, referrals, friends(obj{"grades": []obj{{"friends": 5, "gift": []obj{{"kind": "points", "n": 1}}}, {"friends": 5, "gift": []obj{{"kind": "points", "n": 1}}}}}), bad, "grades[1].friends", "多"),
		on(s.boss, put, referrals, friends(obj{"minPaidFen": 0}), bad, "minPaidFen", ""),
		on(s.boss, post, mall, item(obj{"points": 0}), bad, "points", "积分"),
		on(s.boss, post, mall, item(obj{"stock": -1}), bad, "stock", ""),
		on(s.boss, post, mall, item(obj{"saleFrom": now, "saleTo": now.Add(-time.Hour)}), bad, "saleTo", "晚于"),
		on(s.boss, post, mall, item(obj{"minTierId": 4242}), bad, "minTierId", ""),
		// who drives for whom
		on(anna.caller, post, invites, place(obj{"capPerOrderFen": -1}), bad, "rules.capPerOrderFen", ""),
		on(anna.caller, post, invites, place(obj{"serviceIds": []int64{4242}}), bad, "rules.serviceIds", ""),
		on(anna.caller, post, invites, place(obj{"plates": []string{"火星1号"}}), bad, "rules.plates[0]", ""),
		on(anna.caller, post, invites, place(obj{"weekdays": []int{9}}), bad, "rules.weekdays", ""),
	})
	s.sub("a tier that somebody is in stays, and says who keeps it", func(t *testing.T) {
		if f := s.boss.fails("tier.in_use", http.MethodDelete, fmt.Sprintf("%s/%d", tiers, inUse), nil); !strings.Contains(f.s("message"), "1 位会员") {
			t.Errorf("%v", f)
		}
		first := s.boss.get(tiers).list("items")[0]
		s.boss.fails("tier.default_needed", http.MethodDelete, fmt.Sprintf("%s/%d", tiers, first.i("id")), nil)
	})
	s.sub("a plan that is sold changes for those who buy it from now on", func(t *testing.T) {
		one := fmt.Sprintf("/api/owner/passes/%d", pass)
		before := anna.get(one)
		s.boss.want(put, fmt.Sprintf("%s/%d", plans, sold), plan(obj{"name": "五次卡", "priceFen": 15000, "lines": line(obj{"times": 5}), "validMonths": 1, "plates": 1}))
		after := anna.get(one)
		if fmt.Sprint(before.at("terms")) != fmt.Sprint(after.at("terms")) || after.i("lines.0.left") != 10 || after.s("name") != "十次卡" || after.s("lastDay") != before.s("lastDay") {
			t.Errorf("%v, was %v", after, before)
		}
		if r := s.shop.desk.settle(s.visit(anna.id, anna.plate), []obj{}...); r.i("benefits.0.leftAfter") != 9 {
			t.Errorf("%v", r)
		}
	})
	s.exact()
}
