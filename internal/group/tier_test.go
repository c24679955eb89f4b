package group

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/tier"
)

// ladder makes two tiers above the default one.
func (r *rig) ladder() (silver, gold tier.Tier) {
	r.t.Helper()
	silver, err := r.tiers.Create(r.staff(), tier.Input{Name: "银卡", Color: "#9aa5ac", Rank: 1, DiscountBP: 9500})
	must(r.t, err)
	gold, err = r.tiers.Create(r.staff(), tier.Input{Name: "金卡", Color: "#c9a227", Rank: 2, DiscountBP: 9000})
	must(r.t, err)
	return silver, gold
}

// firm is a company that the shop let in.
func (r *rig) firm() Group {
	r.t.Helper()
	g := r.apply(r.payer)
	_, err := r.AddDocument(r.owner(r.payer), g.ID, DocumentLicense, photo())
	must(r.t, err)
	g, err = r.Review(r.staff(), g.ID, true, "")
	must(r.t, err)
	return g
}

// at wants a member to be in a tier, for a reason.
func (r *rig) at(memberID int64, name, source string) {
	r.t.Helper()
	m, err := r.tiers.Of(r.t.Context(), memberID)
	must(r.t, err)
	if m.Tier.Name != name || m.Source != source {
		r.t.Errorf("%s by %s (%s), want %s by %s", m.Tier.Name, m.Source, m.Reason, name, source)
	}
}

// A company's people stand at least at the tier that it names, from the moment it is said and only as long as they belong (A05).
func TestN14ACompanysPeopleStandAtItsTier(t *testing.T) {
	r := newRig(t)
	silver, gold := r.ladder()
	g := r.firm()
	_ = r.join(g, r.anna, Place{})
	r.at(r.anna, "普通会员", tier.FromDefault)
	_, err := r.SetTier(r.staff(), g.ID, silver.ID)
	must(t, err)
	r.at(r.anna, "银卡", tier.FromAccount)
	r.at(r.payer, "银卡", tier.FromAccount)
	r.at(r.bruno, "普通会员", tier.FromDefault)
	other := r.join(g, r.bruno, Place{})
	r.at(r.bruno, "银卡", tier.FromAccount)
	if m, err := r.tiers.Of(t.Context(), r.bruno); err != nil || m.Reason != "单位会员「福州某某科技有限公司」" || m.KeptUntil != "" {
		t.Errorf("%+v %v", m, err)
	}
	_, err = r.SetTier(r.staff(), g.ID, gold.ID)
	must(t, err)
	r.at(r.anna, "金卡", tier.FromAccount)
	err = r.tiers.Delete(r.staff(), gold.ID)
	wants(t, err, tier.ErrInUse)

	_, err = r.Suspend(r.staff(), g.ID, true, "欠款")
	must(t, err)
	r.at(r.anna, "普通会员", tier.FromDefault)
	r.at(r.payer, "普通会员", tier.FromDefault)
	_, err = r.Suspend(r.staff(), g.ID, false, "")
	must(t, err)
	r.at(r.anna, "金卡", tier.FromAccount)

	must(t, r.RemoveDriver(r.owner(r.payer), g.ID, other.ID))
	r.at(r.bruno, "普通会员", tier.FromDefault)
	must(t, r.Leave(r.owner(r.anna), g.ID))
	r.at(r.anna, "普通会员", tier.FromDefault)
	if all, err := r.tiers.Changes(t.Context(), r.anna, 1); err != nil || all[0].Reason != "单位会员资格已结束" {
		t.Errorf("%+v %v", all, err)
	}
	_ = r.join(g, r.anna, Place{})
	_, err = r.Dissolve(r.staff(), g.ID, "合同到期")
	must(t, err)
	r.at(r.anna, "普通会员", tier.FromDefault)
	r.at(r.payer, "普通会员", tier.FromDefault)
	must(t, r.tiers.Delete(r.staff(), gold.ID))
	_, err = r.SetTier(r.staff(), g.ID, silver.ID)
	wants(t, err, ErrEnded)
	r.sound()
}

// A VIP card names a tier of its own; it ends on its day, and the rules decide again the night after.
func TestAVIPCardGivesItsTierUntilItEnds(t *testing.T) {
	r := newRig(t)
	silver, gold := r.ladder()
	g := r.firm()
	_, err := r.SetTier(r.staff(), g.ID, silver.ID)
	must(t, err)
	add := func(member int64, p Place) (Driver, error) { return r.AddDriver(r.staff(), g.ID, member, p) }
	_, err = add(r.anna, Place{CardKind: CardDriver, TierID: gold.ID})
	if f := fault.As(err).Fields; len(f) != 1 || f[0].Field != "tierId" {
		t.Errorf("%v", err)
	}
	_, err = add(r.anna, Place{CardKind: CardVIP, TierID: 404})
	wants(t, err, tier.ErrUnknown)
	ctx := r.staff()
	p := Place{CardKind: CardTemporary, Until: "2026-12-01", TierID: gold.ID}
	d, err := r.AddDriver(ctx, g.ID, r.anna, p)
	must(t, err)
	if again, err := r.AddDriver(ctx, g.ID, r.anna, p); err != nil || again.ID != d.ID {
		t.Errorf("the same key: %+v %v", again, err)
	}
	_, err = add(r.anna, p)
	wants(t, err, ErrJoined)
	_, err = add(r.payer, p)
	wants(t, err, ErrOwnInvite)
	r.at(r.anna, "金卡", tier.FromAccount)
	if m, err := r.tiers.Of(t.Context(), r.anna); err != nil || m.KeptUntil != "2026-12-01" {
		t.Errorf("%+v %v", m.KeptUntil, err)
	}

	// By a link that the shop makes: a year and a day.
	v, err := r.Invite(r.staff(), g.ID, Place{CardKind: CardVIP, TierID: gold.ID})
	must(t, err)
	if v.Place.Until != "2027-11-19" {
		t.Errorf("a VIP card until %s", v.Place.Until)
	}
	_, err = r.Join(r.owner(r.bruno), v.Code)
	must(t, err)
	r.at(r.bruno, "金卡", tier.FromAccount)

	for _, day := range []struct{ at, want, from string }{{"2026-12-01", "金卡", tier.FromAccount}, {"2026-12-02", "普通会员", tier.FromDefault}} {
		at, err := time.ParseInLocation(time.DateTime, day.at+" 03:30:00", time.FixedZone("", 8*3600))
		must(t, err)
		r.clk.Set(at)
		must(t, r.tiers.Nightly(t.Context()))
		r.at(r.anna, day.want, day.from)
		r.at(r.bruno, "金卡", tier.FromAccount)
	}
	r.sound()
}

// The payer runs the account, but what the shop gives stays the shop's.
func TestOnlyTheShopNamesTiers(t *testing.T) {
	r := newRig(t)
	silver, gold := r.ladder()
	g := r.firm()
	_, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardVIP, TierID: gold.ID})
	wants(t, err, ErrTier)
	d, err := r.AddDriver(r.staff(), g.ID, r.anna, Place{CardKind: CardVIP, Until: "2027-06-30", TierID: silver.ID})
	must(t, err)
	put := func(p Place) error {
		_, err := r.PutDriver(r.owner(r.payer), g.ID, d.ID, p)
		return err
	}
	wants(t, put(Place{CardKind: CardVIP, Until: "2027-06-30", TierID: gold.ID}), ErrTier)
	wants(t, put(Place{CardKind: CardVIP, Until: "2027-07-01"}), ErrTier)
	wants(t, put(Place{CardKind: CardTemporary, Until: "2026-12-30"}), ErrTier)
	must(t, put(Place{CardKind: CardVIP, Until: "2027-05-31", Note: "销售部"}))
	r.at(r.anna, "银卡", tier.FromAccount)

	clerk := r.key(actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 8, Name: "小李", Permissions: []string{perm.GroupReview}, AllStores: true}))
	_, err = r.PutDriver(clerk, g.ID, d.ID, Place{CardKind: CardVIP, Until: "2027-12-31", TierID: silver.ID})
	wants(t, err, fault.ErrForbidden)
	_, err = r.PutDriver(clerk, g.ID, d.ID, Place{CardKind: CardVIP, Until: "2027-05-31", TierID: silver.ID, Note: "采购部"})
	must(t, err)
	_, err = r.PutDriver(r.staff(), g.ID, d.ID, Place{CardKind: CardVIP, Until: "2027-12-31", TierID: gold.ID})
	must(t, err)
	r.at(r.anna, "金卡", tier.FromAccount)
	family, _ := r.Create(r.owner(r.bruno), NewGroup{Kind: Family, Name: "布家"})
	_, err = r.SetTier(r.staff(), family.ID, gold.ID)
	wants(t, err, fault.ErrInvalid)
	def, err := r.tiers.Default(t.Context(), r.db)
	must(t, err)
	_, err = r.SetTier(r.staff(), g.ID, def.ID)
	wants(t, err, tier.ErrUnknown)
}

// Whoever joins while the shop names the tier has it in the end.
func TestAJoinMeetsANewTier(t *testing.T) {
	r := newRig(t)
	_, gold := r.ladder()
	g := r.firm()
	v, err := r.Invite(r.owner(r.payer), g.ID, Place{CardKind: CardDriver})
	must(t, err)
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	shop, anna := r.staff(), r.owner(r.anna)
	wg.Go(func() { _, err := r.SetTier(shop, g.ID, gold.ID); errs <- err })
	wg.Go(func() { _, err := r.Join(anna, v.Code); errs <- err })
	wg.Wait()
	for range 2 {
		must(t, <-errs)
	}
	r.at(r.anna, "金卡", tier.FromAccount)
	r.at(r.payer, "金卡", tier.FromAccount)
}

func TestTheTiersOperations(t *testing.T) {
	r := newRig(t)
	_, gold := r.ladder()
	g := r.firm()
	c := apitest.New(t, r.Routes)
	at := fmt.Sprintf("/api/console/groups/%d", g.ID)
	boss := c.As(apitest.Staff(perm.Keys()...))
	var d Detail
	boss.OK(http.MethodPut, at+"/tier", obj{"tierId": gold.ID}, &d)
	if d.TierID != gold.ID || d.TierName != "金卡" {
		t.Errorf("%+v", d.View)
	}
	c.As(apitest.Staff(perm.GroupRead, perm.GroupReview)).Fault(fault.ErrForbidden, http.MethodPut, at+"/tier", obj{"tierId": 0})
	rules := obj{"plates": []string{}, "serviceIds": []int64{}, "weekdays": []int{}}
	boss.OK(http.MethodPost, at+"/drivers", obj{"memberId": r.anna, "place": obj{"cardKind": "vip", "tierId": gold.ID, "rules": rules}}, &d, "Idempotency-Key", "by-hand-1")
	if len(d.Places) != 1 || d.Places[0].TierName != "金卡" || d.Places[0].MemberID != r.anna {
		t.Errorf("%+v", d.Places)
	}
	boss.Fault(ErrJoined, http.MethodPost, at+"/drivers", obj{"memberId": r.anna, "place": obj{"cardKind": "driver", "rules": rules}}, "Idempotency-Key", "by-hand-2")
	var v InviteView
	boss.OK(http.MethodPost, at+"/invites", obj{"cardKind": "temporary", "until": "2026-12-31", "tierId": gold.ID, "rules": rules}, &v)
	var shown InvitedView
	c.As(actor.From(r.owner(r.bruno))).OK(http.MethodGet, "/api/owner/group-invites/"+v.Code, nil, &shown)
	if shown.TierName != "金卡" || shown.Until != "2026-12-31" {
		t.Errorf("%+v", shown)
	}
	var off Detail
	boss.OK(http.MethodPut, at+"/tier", obj{"tierId": 0}, &off)
	if off.TierID != 0 || off.TierName != "" {
		t.Errorf("%+v", off.View)
	}
}
