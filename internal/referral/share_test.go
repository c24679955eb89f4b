package referral

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/perm"
)

// sharing switches the reward for sharing on: 20 points, so many a day.
func (r *rig) sharing(most int) {
	r.t.Helper()
	rules, err := r.Rules(r.t.Context())
	must(r.t, err)
	rules.ShareOn, rules.ShareGift, rules.ShareCap = true, gift(20), most
	r.rules(rules)
}

// came joins by a page that somebody shared.
func (r *rig) came(sharer int64, via string, p person) int64 {
	r.t.Helper()
	m := r.join(p)
	ctx := actor.With(r.t.Context(), actor.Actor{Kind: actor.Owner, ID: m + 1, MemberID: m, IP: p.ip})
	code := r.code(sharer)
	must(r.t, r.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return r.InvitedTx(ctx, tx, m, code+"."+via) }))
	return m
}

// F03: a page that was shared and brings a new person is rewarded once, beside what the first payment brings, and only when the shop says so.
func TestF03ASharedPageThatBringsSomebodyIsRewardedOnce(t *testing.T) {
	r := newRig(t)
	a := r.join(person{})
	early := r.came(a, ViaItem, person{})
	r.sweep()
	r.want(a, 0, "sharing is off")
	r.clk.Advance(time.Minute)
	r.sharing(10)
	b := r.came(a, ViaPlan, person{})
	told := r.invited(a, person{}) // by a code, not by a page
	odd := r.came(a, "nonsense", person{})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := r.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.sweep()
	r.want(a, 20, "one shared page")
	for friend, via := range map[int64]string{early: ViaItem, b: ViaPlan, told: "", odd: ""} {
		if i := r.state(friend, StatePending); i.Via != via || (i.share == shareGiven) != (friend == b) {
			t.Errorf("%+v", i)
		}
	}
	r.pay(b, ledger.WeChat, 3500)
	r.sweep()
	r.want(a, 120, "and the first payment")
	rules, err := r.Rules(t.Context())
	must(t, err)
	rules.On = false
	r.rules(rules)
	c := r.came(a, ViaCampaign, person{})
	r.sweep()
	r.want(a, 140, "sharing alone")
	r.state(c, StatePending)
	r.exact()
}

// N16: the same person, somebody known, or a crowd brings nothing; what a manager rejects goes back; a day has its cap.
func TestN16SharesAreWatched(t *testing.T) {
	r := newRig(t)
	r.sharing(2)
	a := r.join(person{openID: "oA", union: "uA"})
	self := r.came(a, ViaCard, person{openID: "oA2", union: "uA"})
	r.sweep()
	r.state(self, StateRejected)
	r.want(a, 0, "one's own second phone")
	first := r.came(a, ViaCard, person{plate: "沪C00001"})
	r.sweep()
	r.want(a, 20, "a new face")
	again := r.came(a, ViaCard, person{plate: "沪C00001"})
	r.sweep()
	r.state(again, StateSuspect)
	r.want(a, 20, "a known plate waits for a manager")
	_, err := r.Decide(r.boss(), r.of(again).ID, true, "夫妻两人")
	must(t, err)
	r.sweep()
	r.want(a, 40, "the manager says yes")
	third := r.came(a, ViaCard, person{})
	r.sweep()
	r.want(a, 40, "two a day")
	r.clk.Advance(day)
	r.sweep()
	r.want(a, 60, "the next day")
	_, err = r.Decide(r.boss(), r.of(first).ID, false, "同一个人")
	must(t, err)
	r.want(a, 40, "rejected: it goes back")
	r.sweep()
	r.want(a, 40, "and does not come again")
	if i := r.of(first); i.share != shareBack {
		t.Errorf("%+v", i)
	}
	r.state(third, StatePending)
	r.exact()
}

func TestSharingRulesAndOperations(t *testing.T) {
	r := newRig(t)
	rules, err := r.Rules(t.Context())
	must(t, err)
	for field, change := range map[string]func(*Rules){
		"shareGift": func(x *Rules) { x.ShareOn, x.ShareCap = true, 5 },
		"shareGift[0].kind": func(x *Rules) {
			x.ShareOn, x.ShareCap, x.ShareGift = true, 5, campaign.Gift{{Kind: campaign.Tier, ID: 1, N: 1}}
		},
		"shareCap": func(x *Rules) { x.ShareOn, x.ShareCap, x.ShareGift = true, 0, gift(5) },
	} {
		x := rules
		change(&x)
		_, err := r.SetRules(r.boss(), x)
		if f := fault.As(err).Fields; len(f) == 0 || f[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	a := r.join(person{})
	c := apitest.New(t, r.Routes)
	owner := c.As(actor.Actor{Kind: actor.Owner, ID: a + 1, MemberID: a})
	var s Sharing
	owner.OK(http.MethodGet, "/api/owner/sharing", nil, &s)
	if s.On || s.Gift != "" || len(s.Code) != 8 {
		t.Errorf("%+v", s)
	}
	rules.ShareOn, rules.ShareGift, rules.ShareCap, rules.ShareSince = true, gift(30), 3, 1
	boss := c.As(apitest.Staff(perm.Keys()...))
	var saved Rules
	boss.OK(http.MethodPut, "/api/console/referrals/rules", rules, &saved)
	if saved.ShareSince != r.clk.Now().UnixMilli() {
		t.Errorf("since %d", saved.ShareSince)
	}
	r.clk.Advance(time.Hour)
	boss.OK(http.MethodPut, "/api/console/referrals/rules", rules, &saved)
	if saved.ShareSince != r.clk.Now().Add(-time.Hour).UnixMilli() {
		t.Errorf("since %d after another change", saved.ShareSince)
	}
	owner.OK(http.MethodGet, "/api/owner/sharing", nil, &s)
	if !s.On || s.Gift != "30 积分" || s.Daily != 3 {
		t.Errorf("%+v", s)
	}
	r.came(a, ViaItem, person{})
	r.sweep()
	var mine Mine
	owner.OK(http.MethodGet, "/api/owner/referral", nil, &mine)
	if len(mine.Friends) != 1 || mine.Friends[0].Via != "积分商城" || !mine.Friends[0].Shared || !mine.Sharing.On {
		t.Errorf("%+v", mine)
	}
	var list struct{ Items []InviteView }
	boss.OK(http.MethodGet, fmt.Sprintf("/api/console/referrals?inviterId=%d", a), nil, &list)
	if len(list.Items) != 1 || list.Items[0].Via != "积分商城" || list.Items[0].ShareState != "given" {
		t.Errorf("%+v", list)
	}
}
