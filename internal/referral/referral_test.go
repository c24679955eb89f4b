package referral

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/perm"
)

func TestN16RewardOnlyAfterRealMoneyAndOnce(t *testing.T) {
	r := newRig(t)
	a := r.join(person{})
	b := r.invited(a, person{})
	r.state(b, StateNew)
	r.sweep()
	r.state(b, StatePending)
	// Bonus, points and deposits are no payment; joining is none either.
	r.book(b, ledger.Post{Kind: ledger.KindAdjust}, ledger.Leg{Unit: ledger.Bonus, Amount: 5000}, ledger.ShopLeg(ledger.BonusGranted, -5000))
	r.book(b, ledger.Post{Kind: ledger.KindConsume}, ledger.ShopLeg(ledger.PointsPaid, -3000), ledger.ShopLeg(ledger.Revenue, 3000))
	r.book(b, ledger.Post{Kind: ledger.KindDeposit}, ledger.ShopLeg(ledger.WeChat, -5000), ledger.ShopLeg(ledger.Deposits, 5000))
	r.sweep()
	r.state(b, StatePending)
	r.want(a, 0, "nothing was really paid")
	r.pay(b, ledger.WeChat, 3500)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := r.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.sweep()
	i := r.state(b, StateRewarded)
	if i.PaidFen != 3500 || i.RewardAt.IsZero() {
		t.Errorf("%+v", i)
	}
	r.want(a, 100, "the inviter, once")
	r.want(b, 50, "the friend, once")
	r.pay(b, ledger.Cash, 9900)
	r.sweep()
	r.want(a, 100, "the first payment only")
	var n int
	must(t, r.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM notify_messages WHERE event = 'referral_rewarded'`))
	if n != 2 {
		t.Errorf("%d messages", n)
	}
	r.exact()
}

func TestN16NobodyInvitesThemselves(t *testing.T) {
	r := newRig(t)
	a := r.join(person{plate: "沪A12345", union: "union-a"})
	r.wantErr(r.Bind(t.Context(), a, r.code(a)), ErrSelf)
	// A second account of the same person, told by the union id.
	same := r.invited(a, person{union: "union-a"})
	r.sweep()
	r.state(same, StateRejected)
	// A second account with the same car is looked at first.
	car := r.invited(a, person{plate: "沪A12345"})
	r.sweep()
	if i := r.state(car, StateSuspect); !slices.Contains(i.Flags, FlagSelfPlate) {
		t.Error(i.Flags)
	}
	for _, m := range []int64{same, car} {
		r.pay(m, ledger.Cash, 10000)
	}
	r.sweep()
	r.want(a, 0, "nothing for oneself")
	r.exact()
}

func TestN16AFriendIsInvitedOnce(t *testing.T) {
	r := newRig(t)
	a, x := r.join(person{}), r.join(person{})
	p := person{phone: "13900000001", openID: "openid-farm", plate: "沪A00001"}
	b := r.invited(a, p)
	r.pay(b, ledger.Cash, 100)
	r.sweep()
	r.state(b, StateRewarded)
	// The friend leaves and joins again, with another phone, and with another WeChat.
	must(t, r.forget(b))
	c := r.invited(x, person{phone: p.phone})
	r.pay(c, ledger.Cash, 100)
	r.sweep()
	r.state(c, StateRejected)
	must(t, r.forget(c))
	d := r.invited(x, person{openID: p.openID})
	r.pay(d, ledger.Cash, 100)
	r.sweep()
	r.state(d, StateRejected)
	e := r.invited(x, person{plate: p.plate})
	r.pay(e, ledger.Cash, 100)
	r.sweep()
	if i := r.state(e, StateSuspect); !slices.Contains(i.Flags, FlagPlate) {
		t.Error(i.Flags)
	}
	r.want(x, 0, "known friends bring nothing")
	r.wantErr(r.Bind(t.Context(), e, r.code(a)), ErrBound)
	r.exact()
}

// forget frees a member's phone and WeChat, as leaving does.
func (r *rig) forget(m int64) error {
	return r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE member_members SET phone_index = NULL, status = 'closed' WHERE id = ?`, m); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM member_identities WHERE member_id = ?`, m)
		return err
	})
}

func TestGradesCapAndCrowd(t *testing.T) {
	r := newRig(t)
	rules := firstRules()
	rules.On, rules.InviterGift, rules.Grades, rules.DailyCap, rules.FastCount = true, gift(100), []Grade{{3, gift(5000)}}, 2, 4
	r.rules(rules)
	a := r.join(person{})
	var friends []int64
	for range 6 {
		f := r.invited(a, person{})
		friends = append(friends, f)
		r.pay(f, ledger.Cash, 100)
		r.clk.Advance(time.Second)
		r.sweep()
	}
	// Two a day; the fifth and sixth within an hour wait for a manager.
	for n, want := range []string{StateRewarded, StateRewarded, StatePending, StatePending, StateSuspect, StateSuspect} {
		r.state(friends[n], want)
	}
	r.want(a, 200, "the cap of the day")
	r.clk.Advance(day)
	r.sweep()
	r.sweep()
	r.want(a, 400+5000, "the next day two more, and the grade")
	i := r.of(friends[4])
	if !slices.Contains(i.Flags, FlagFast) {
		t.Error(i.Flags)
	}
	_, err := r.Decide(r.boss(), i.ID, false, " ")
	r.wantErr(err, ErrReason)
	i, err = r.Decide(r.boss(), i.ID, true, "")
	if err != nil || i.State != StatePending || i.DecidedBy != "孙店长" {
		t.Fatal(i, err)
	}
	_, err = r.Decide(r.boss(), r.of(friends[5]).ID, false, "同一个人")
	must(t, err)
	_, err = r.Decide(r.boss(), r.of(friends[5]).ID, true, "")
	r.wantErr(err, ErrState)
	r.clk.Advance(day)
	r.sweep()
	r.state(friends[4], StateRewarded)
	r.state(friends[5], StateRejected)
	r.want(a, 500+5000, "accepted")
	// Friends who share one network are looked at from the third on.
	b := r.join(person{})
	for n, want := range []string{StatePending, StatePending, StateSuspect} {
		f := r.invited(b, person{ip: "203.0.113.7"})
		r.sweep()
		r.state(f, want)
		r.clk.Advance(2 * time.Hour)
		_ = n
	}
	r.exact()
}

func TestAPaymentThatGoesBackTakesTheRewardBack(t *testing.T) {
	r := newRig(t)
	a := r.join(person{})
	var pays, friends []int64
	for range 3 {
		f := r.invited(a, person{})
		friends, pays = append(friends, f), append(pays, r.pay(f, ledger.Card, 8800))
	}
	r.sweep()
	r.want(a, 300+5000, "three friends")
	second := r.pay(friends[1], ledger.Cash, 500)
	r.undo(friends[0], pays[0])
	r.undo(friends[1], pays[1])
	r.sweep()
	i := r.state(friends[0], StateTakenBack)
	if !slices.Contains(i.Flags, FlagRefund) {
		t.Error(i.Flags)
	}
	r.state(friends[1], StateRewarded) // not all of it went back
	r.want(a, 200, "one reward and the grade are gone")
	r.want(friends[0], 0, "the friend's too")
	list, err := readInvites(t.Context(), r.db, "", 0, true, "", 10)
	if err != nil || len(list) != 1 || list[0].ID != i.ID {
		t.Error(list, err)
	}
	// What was spent already becomes a debt.
	must(t, r.db.InTx(r.boss(), func(ctx context.Context, tx *db.Tx) error {
		return r.points.TakeTx(ctx, tx, friends[1], 50, "test", 1, "换走")
	}))
	r.undo(friends[1], second)
	r.sweep()
	r.want(friends[1], -50, "a debt")
	// After the days that the rules name it stays.
	r.clk.Advance(16 * day)
	r.undo(friends[2], pays[2])
	r.sweep()
	r.state(friends[2], StateRewarded)
	r.want(a, 100, "too late to take back")
	// A manager may still reject it: the reward goes back.
	_, err = r.Decide(r.boss(), r.of(friends[2]).ID, false, "套取奖励")
	must(t, err)
	r.want(a, 0, "rejected")
	r.exact()
}

func TestARewardThatCannotBeGivenIsTheManagers(t *testing.T) {
	r := newRig(t)
	shelf := &soldOut{}
	r.Gifts.Connect(campaign.Coupon, shelf)
	rules := firstRules()
	rules.On, rules.FriendGift, rules.InviterGift = true, campaign.Gift{{Kind: campaign.Coupon, ID: 7, N: 1}}, gift(100)
	r.rules(rules)
	a := r.join(person{})
	b := r.invited(a, person{})
	r.pay(b, ledger.Cash, 100)
	shelf.gone = true
	r.sweep()
	i := r.state(b, StateSuspect)
	if !slices.Contains(i.Flags, FlagGift) || i.Reason != "这种券已停发" {
		t.Errorf("%+v", i)
	}
	r.want(a, 0, "nothing of it was given")
	shelf.gone = false
	_, err := r.Decide(r.boss(), i.ID, true, "已恢复")
	must(t, err)
	r.sweep()
	r.state(b, StateRewarded)
	r.want(a, 100, "once it can be given")
	r.exact()
}

func TestBindLater(t *testing.T) {
	r := newRig(t)
	a := r.join(person{})
	b := r.join(person{})
	code := r.code(a)
	for _, bad := range []string{"", "x", "AAAAAAAA", "00000000", strings.Repeat("A", 40)} {
		r.wantErr(r.Bind(t.Context(), b, bad), ErrUnknown)
	}
	must(t, r.Bind(t.Context(), b, " "+strings.ToLower(code[:4])+"-"+code[4:]))
	r.state(b, StatePending)
	r.wantErr(r.Bind(t.Context(), b, code), ErrBound)
	c := r.join(person{})
	r.pay(c, ledger.Cash, 100)
	r.wantErr(r.Bind(t.Context(), c, code), ErrLate)
	d := r.join(person{})
	r.clk.Advance(8 * day)
	r.wantErr(r.Bind(t.Context(), d, code), ErrLate)
	rules := firstRules()
	r.rules(rules)
	e := r.join(person{})
	r.wantErr(r.Bind(t.Context(), e, code), ErrOff)
	f := r.invited(a, person{})
	if _, err := inviteOf(t.Context(), r.db, f); !errors.Is(err, fault.ErrNotFound) {
		t.Error("invited while nothing was promised: ", err)
	}
	// Who waits too long gets nothing, also when the rules come back.
	rules.On, rules.InviterGift = true, gift(1)
	r.rules(rules)
	r.clk.Advance(90 * day)
	r.sweep()
	r.state(b, StateExpired)
	r.pay(b, ledger.Cash, 100)
	r.sweep()
	r.want(a, 0, "expired")
	r.exact()
}

func TestCodesAreUniqueAndDrawnOnce(t *testing.T) {
	r := newRig(t)
	a := r.join(person{})
	codes := make([]string, 10)
	var wg sync.WaitGroup
	for n := range codes {
		wg.Go(func() {
			c, err := r.Code(t.Context(), a)
			if err != nil {
				t.Error(err)
			}
			codes[n] = c.Code
		})
	}
	wg.Wait()
	if slices.Sort(codes); codes[0] != codes[9] || len(codes[0]) != 8 {
		t.Error(codes)
	}
	r.wechat.err = errors.New("away")
	m, err := r.mine(t.Context(), a)
	if err != nil || m.CodeURL != "" || m.Link != "https://shop/h5/#/pages/join/index?invite="+m.Code+"&via=card" || !m.On || m.FriendGift != "50 积分" || m.Next.Left != 3 {
		t.Fatalf("%+v %v", m, err)
	}
	if _, err = r.mine(t.Context(), a); err != nil || r.wechat.asked != 1 {
		t.Errorf("asked %d times while it was away", r.wechat.asked)
	}
	r.wechat.err = nil
	r.clk.Advance(2 * time.Minute)
	for range 3 {
		if m, err = r.mine(t.Context(), a); err != nil || !strings.HasPrefix(m.CodeURL, "/media/") || r.wechat.asked != 2 || r.wechat.scene != "i="+m.Code {
			t.Errorf("%+v %v asked %d", m, err, r.wechat.asked)
		}
	}
}

func TestRulesAreChecked(t *testing.T) {
	r := newRig(t)
	good := firstRules()
	good.On, good.InviterGift = true, gift(1)
	for field, change := range map[string]func(*Rules){
		"inviterGift":       func(x *Rules) { x.InviterGift = nil },
		"friendGift[0].n":   func(x *Rules) { x.FriendGift = gift(0) },
		"grades[1].friends": func(x *Rules) { x.Grades = []Grade{{5, gift(1)}, {5, gift(1)}} },
		"grades[0].gift":    func(x *Rules) { x.Grades = []Grade{{5, nil}} },
		"minPaidFen":        func(x *Rules) { x.MinPaidFen = 0 },
		"payWithinDays":     func(x *Rules) { x.PayWithinDays = 366 },
		"backDays":          func(x *Rules) { x.BackDays = -1 },
		"dailyCap":          func(x *Rules) { x.DailyCap = 0 },
		"fastCount":         func(x *Rules) { x.FastCount = 0 },
	} {
		x := good
		change(&x)
		_, err := r.SetRules(r.boss(), x)
		if f := fault.As(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Field != field {
			t.Errorf("%s: %v %+v", field, err, f)
		}
	}
	if got, err := r.SetRules(r.boss(), good); err != nil || !got.On {
		t.Error(got, err)
	}
}

func TestOverHTTP(t *testing.T) {
	r := newRig(t)
	c := apitest.New(t, r.Routes)
	a := r.join(person{})
	b := r.join(person{})
	owner := func(m int64) *apitest.Client {
		return c.As(actor.Actor{Kind: actor.Owner, ID: m + 1, MemberID: m, App: member.AppMini, IP: "203.0.113.9"})
	}
	var mine Mine
	owner(a).OK(http.MethodGet, "/api/owner/referral", nil, &mine)
	var his Mine
	owner(b).OK(http.MethodGet, "/api/owner/referral", nil, &his)
	if !his.MayBind || his.Code == mine.Code {
		t.Errorf("%+v", his)
	}
	owner(b).OK(http.MethodPost, "/api/owner/referral/bind", BindAsk{mine.Code}, &his)
	if his.MayBind {
		t.Error("bound, and still asked")
	}
	owner(b).Fault(ErrBound, http.MethodPost, "/api/owner/referral/bind", BindAsk{mine.Code})
	r.pay(b, ledger.Cash, 100)
	r.sweep()
	owner(a).OK(http.MethodGet, "/api/owner/referral", nil, &mine)
	if mine.Rewarded != 1 || len(mine.Friends) != 1 || mine.Friends[0].Name != "测*" || mine.Friends[0].StateText != "已奖励" {
		t.Errorf("%+v", mine)
	}
	boss := c.As(apitest.Staff(perm.ReferralRead, perm.ReferralReview, perm.CampaignWrite))
	var list struct{ Items []InviteView }
	boss.OK(http.MethodGet, "/api/console/referrals?state=rewarded", nil, &list)
	if len(list.Items) != 1 || list.Items[0].PaidFen != 100 || !strings.Contains(list.Items[0].FriendPhone, "****") {
		t.Errorf("%+v", list)
	}
	boss.OK(http.MethodGet, "/api/console/referrals/suspects", nil, &list)
	if len(list.Items) != 0 {
		t.Errorf("%+v", list)
	}
	var rules Rules
	boss.OK(http.MethodGet, "/api/console/referrals/rules", nil, &rules)
	rules.DailyCap = 3
	boss.OK(http.MethodPut, "/api/console/referrals/rules", rules, &rules)
	id := r.of(b).ID
	c.As(apitest.Staff(perm.ReferralRead)).Fault(fault.ErrForbidden, http.MethodPost, fmt.Sprintf("/api/console/referrals/%d/reject", id), DecideAsk{"不对"})
	boss.Fault(ErrReason, http.MethodPost, fmt.Sprintf("/api/console/referrals/%d/reject", id), DecideAsk{})
	var v InviteView
	boss.OK(http.MethodPost, fmt.Sprintf("/api/console/referrals/%d/reject", id), DecideAsk{"不对"}, &v)
	if v.State != StateRejected || rules.DailyCap != 3 {
		t.Errorf("%+v", v)
	}
	r.want(a, 0, "rejected")
	boss.Fault(campaign.ErrGift, http.MethodPut, "/api/console/referrals/rules", Rules{On: true, InviterGift: campaign.Gift{{Kind: campaign.Coupon, ID: 1, N: 1}}, FriendGift: campaign.Gift{}, Grades: []Grade{}, MinPaidFen: 1, PayWithinDays: 1, DailyCap: 1, FastCount: 1})
}
