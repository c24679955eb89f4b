package tier_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/tier"
)

func TestProgrammeOverHTTP(t *testing.T) {
	p := open(t)
	base := apitest.New(t, p.Tiers.Routes)
	boss := base.As(actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", Permissions: perm.Keys(), AllStores: true})
	reader := base.As(apitest.Staff(perm.CatalogRead, perm.MemberRead))
	m := p.Member("王五", "13800000001", "")
	p.Settle(p.West, m, "沪A12345", []int64{p.Wash})
	owner := base.As(p.Owner(m))
	key := 0
	idem := func() []string { key++; return []string{"Idempotency-Key", fmt.Sprintf("key-%08d", key)} }

	in := tier.Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9500, Programme: &tier.Programme{
		Rule: &tier.Rule{Match: tier.MatchAny, Measures: []tier.Measure{{Kind: tier.SpendYear, AtLeast: 10_000}}}, Comforts: []string{"专属休息室"}, Discounts: []tier.Discount{{Kind: "repair", BP: 8800}},
		Rights: []tier.Right{{Kind: tier.Counted, Title: "年检代办", Times: 2, Period: tier.Yearly}, {Kind: tier.FreeUse, Title: "免费精洗", ServiceIDs: []int64{p.Wash}, Times: 1, Period: tier.Weekly}}}}
	path := fmt.Sprint("/api/console/tiers/", p.Gold)
	var gold tier.Full
	reader.Fault(fault.ErrForbidden, http.MethodPut, path, in)
	boss.OK(http.MethodPut, path, in, &gold)
	errand := gold.Programme.Rights[0].ID
	bad := in
	bad.DiscountBP = 100_000
	boss.Fault(fault.ErrInvalid, http.MethodPut, path, bad)
	boss.Fault(fault.ErrInvalid, http.MethodPost, "/api/console/tiers/preview", tier.PreviewRequest{TierID: p.Gold, Tier: bad})
	var preview tier.Preview
	boss.OK(http.MethodPost, "/api/console/tiers/preview", tier.PreviewRequest{TierID: p.Gold, Tier: in}, &preview)
	if preview.Members != 1 || preview.Tiers[0].Now != 1 {
		t.Errorf("%+v", preview)
	}
	var list httpapi.Page[tier.Row]
	reader.OK(http.MethodGet, "/api/console/tiers", nil, &list)
	if len(list.Items) != 2 || list.Items[0].Members != nil || *list.Items[1].Members != 0 || list.Items[1].Programme.Comforts[0] != "专属休息室" {
		t.Errorf("%+v", list.Items)
	}
	var mine tier.Mine
	owner.OK(http.MethodGet, "/api/owner/tier", nil, &mine)
	if mine.Source != tier.FromDefault || mine.Next == nil || mine.Next.Progress[0].Missing != "还差 ¥55.00" || fmt.Sprint(mine.Next.Brings) != "[洗车 9.5 折 美容 9.5 折 贴膜 9.5 折 维修工时 8.8 折 其他服务 9.5 折 配件商品 9.5 折 年检代办·每年 2 次 免费精洗·每周 1 次 专属休息室]" {
		t.Errorf("%+v %+v", mine, mine.Next)
	}
	member := fmt.Sprintf("/api/console/members/%d/tier", m)
	var at tier.MemberTier
	boss.Fault(tier.ErrUnknown, http.MethodPut, member, tier.SetRequest{TierID: 9, Reason: "老友"})
	boss.Fault(tier.ErrReason, http.MethodPut, member, tier.SetRequest{TierID: p.Gold, Reason: " "})
	boss.Fault(fault.ErrInvalid, http.MethodPut, member, tier.SetRequest{TierID: p.Gold, Reason: "老友", Until: "2020-01-01"})
	boss.OK(http.MethodPut, member, tier.SetRequest{TierID: p.Gold, Reason: "老友", Until: "2026-12-31"}, &at)
	if at.Tier.ID != p.Gold || at.Source != tier.FromManual || at.KeptUntil != "2026-12-31" {
		t.Errorf("%+v", at)
	}
	var inTier httpapi.Page[tier.InTier]
	reader.OK(http.MethodGet, path+"/members", nil, &inTier)
	if len(inTier.Items) != 1 || inTier.Items[0].MemberID != m || inTier.Items[0].Reason != "老友" {
		t.Errorf("%+v", inTier.Items)
	}
	boss.Fault(tier.ErrInUse, http.MethodDelete, path, nil)

	var desk tier.DeskRights
	use := tier.UseRequest{MemberID: m, RightID: errand, StoreID: p.West, Note: "年检"}
	boss.OK(http.MethodPost, "/api/staff/right-uses", use, &desk, idem()...)
	boss.OK(http.MethodPost, "/api/staff/right-uses", use, &desk, "Idempotency-Key", fmt.Sprintf("key-%08d", key)) // the same command again
	if desk.Rights[0].Left != 1 || len(desk.Uses) != 1 {
		t.Errorf("%+v", desk)
	}
	boss.OK(http.MethodPost, fmt.Sprintf("/api/staff/right-uses/%d/undo", desk.Uses[0].ID), nil, &desk, idem()...)
	if desk.Rights[0].Left != 2 || !desk.Uses[0].Undone {
		t.Errorf("%+v", desk)
	}
	var plan tier.Plan
	boss.OK(http.MethodPost, "/api/console/membership-plans", tier.PlanInput{Name: "尊享年卡", Kind: tier.PlanService, PriceFen: 29900, Months: 12, TierID: p.Gold}, &plan)
	boss.Fault(tier.ErrPlanName, http.MethodPost, "/api/console/membership-plans", tier.PlanInput{Name: "尊享年卡", Kind: tier.PlanService, PriceFen: 1, Months: 12, TierID: p.Gold})
	boss.Fault(tier.ErrUnknown, http.MethodPost, "/api/console/membership-plans", tier.PlanInput{Name: "b", Kind: tier.PlanService, PriceFen: 1, Months: 12, TierID: p.def})
	var offers tier.Offers
	owner.OK(http.MethodGet, "/api/owner/membership-plans", nil, &offers)
	if len(offers.Items) != 1 || offers.Items[0].TierName != "金卡" {
		t.Errorf("%+v", offers)
	}
	var sold sale.Started
	owner.Fault(fault.ErrInvalid, http.MethodPost, "/api/owner/memberships", tier.BuyRequest{PlanID: plan.ID, Pay: "cash"}, idem()...)
	boss.OK(http.MethodPost, "/api/staff/memberships", tier.SellRequest{MemberID: m, PlanID: plan.ID, StoreID: p.West, Pay: "cash"}, &sold, idem()...)
	if sold.State != sale.StatePaid || sold.ResultID == 0 || len(sold.Lines) != 2 {
		t.Errorf("%+v", sold)
	}
	var back tier.Refunded
	boss.OK(http.MethodPost, fmt.Sprintf("/api/console/memberships/%d/refund", sold.ResultID), tier.ReasonRequest{Reason: "不满意"}, &back, idem()...)
	if back.AmountFen < 29700 || back.AmountFen > 29900 {
		t.Errorf("%+v", back)
	}
	boss.OK(http.MethodPost, member+"/release", tier.ReasonRequest{Reason: "到期"}, &at)
	if at.Tier.ID != p.def || len(at.Changes) != 2 || len(at.Uses) != 1 {
		t.Errorf("%+v", at)
	}
	var run tier.Progression
	reader.OK(http.MethodGet, "/api/console/tiers/run", nil, &run)
	if run.Run != nil {
		t.Errorf("%+v", run)
	}
	boss.OK(http.MethodPost, "/api/console/tiers/recompute", nil, nil)
	boss.Fault(tier.ErrRunning, http.MethodPost, "/api/console/tiers/recompute", nil)
	p.sound()
}
