package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
)

func (w *world) official(n int) context.Context {
	return w.login(wechat.Identity{App: AppOfficial, OpenID: fmt.Sprintf("o-oa-%d", n)})
}

func TestLinkJoinsTheOtherApp(t *testing.T) {
	w := newWorld(t)
	var told []string
	w.opt.LinkedTx = func(_ context.Context, _ *db.Tx, id int64, app string) error {
		told = append(told, fmt.Sprint(id, app))
		return nil
	}
	mini, j := w.member(mobile)
	l, err := w.NewLink(mini)
	must(t, err)
	if len(l.Code) != 10 || l.App != AppMini || l.ExpiresAt.Sub(w.clk.Now()) != 10*time.Minute {
		t.Fatalf("%+v", l)
	}
	var kept string
	must(t, w.db.Get(mini, &kept, `SELECT code_hash FROM member_links`))
	if strings.Contains(kept, l.Code) {
		t.Error("the code is kept")
	}
	oa := w.official(1)
	see, err := w.ReadLink(oa, "https://car.example.com/h5/#/pages/identities/redeem?c="+strings.ToLower(l.Code))
	must(t, err)
	if see.NameMasked != "王**" || see.PhoneMasked != "138****8000" || see.Same {
		t.Errorf("%+v", see)
	}
	got, err := w.RedeemLink(oa, l.Code[:5]+"-"+l.Code[5:])
	must(t, err)
	if got.MemberID != j.MemberID || actor.From(w.again(oa)).MemberID != j.MemberID || len(told) != 1 {
		t.Errorf("%+v %v", got, told)
	}
	_, err = w.RedeemLink(w.official(2), l.Code)
	wants(t, err, ErrLink)
	ids, err := w.Identities(mini, j.MemberID)
	if err != nil || len(ids) != 2 {
		t.Fatalf("%v %v", ids, err)
	}
	// Each may be taken off, the last one not.
	must(t, w.UnbindOwn(mini, actor.From(oa).ID))
	wants(t, w.UnbindOwn(mini, actor.From(mini).ID), ErrLastIdentity)
	wants(t, w.UnbindOwn(mini, actor.From(oa).ID), fault.ErrNotFound)
}

func TestLinkRefusals(t *testing.T) {
	w := newWorld(t)
	mini, j := w.member(mobile)
	code := func() string {
		t.Helper()
		l, err := w.NewLink(mini)
		must(t, err)
		return l.Code
	}
	c := code()
	_, err := w.RedeemLink(w.person(), c)
	wants(t, err, ErrLinkSameApp)
	_, err = w.ReadLink(w.person(), c)
	wants(t, err, ErrLinkSameApp)
	// A newer one ends it; ten minutes end it.
	c2 := code()
	_, err = w.RedeemLink(w.official(1), c)
	wants(t, err, ErrLink)
	w.clk.Advance(10 * time.Minute)
	_, err = w.RedeemLink(w.official(1), c2)
	wants(t, err, ErrLink)
	// Guessing is limited.
	guess := w.official(9)
	for range linkFailures {
		_, err = w.ReadLink(guess, "ABCDEFGHJK")
		wants(t, err, ErrLink)
	}
	_, err = w.ReadLink(guess, code())
	wants(t, err, fault.ErrTooMany)
	_, err = w.RedeemLink(guess, code())
	wants(t, err, fault.ErrTooMany)
	// One whose own member holds money stays; nothing is spent.
	rich := w.official(3)
	r, err := w.Join(rich, JoinInput{CharterVersion: 1, PhoneToken: w.phoneToken(rich, "13800138009"), Name: "韩梅梅"})
	must(t, err)
	w.purse[r.MemberID] = 100
	c = code()
	_, err = w.RedeemLink(w.again(rich), c)
	wants(t, err, ErrHoldsMoney)
	delete(w.purse, r.MemberID)
	if got, err := w.RedeemLink(w.again(rich), c); err != nil || got.MemberID != j.MemberID {
		t.Errorf("%+v %v", got, err)
	}
	// The official account is taken now; and two people whom WeChat tells apart are not joined.
	_, err = w.RedeemLink(w.official(4), code())
	wants(t, err, ErrLinkTaken)
	must(t, w.UnbindOwn(w.again(mini), actor.From(rich).ID))
	x := identityOf(t, w, mini)
	x.UnionID = "u-a"
	w.login(x)
	stranger := w.login(wechat.Identity{App: AppOfficial, OpenID: "o-oa-5", UnionID: "u-b"})
	_, err = w.RedeemLink(stranger, code())
	wants(t, err, ErrLinkOther)
}

func TestLinkRedeemedByTwoAtOnce(t *testing.T) {
	w := newWorld(t)
	mini, j := w.member(mobile)
	l, err := w.NewLink(mini)
	must(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ok := 0
	ctxs := []context.Context{w.official(1), w.official(2), w.official(3)}
	for _, ctx := range ctxs {
		wg.Go(func() {
			got, err := w.RedeemLink(ctx, l.Code)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && got.MemberID == j.MemberID:
				ok++
			case !errors.Is(err, ErrLink):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ids, err := w.Identities(t.Context(), j.MemberID)
	if ok != 1 || err != nil || len(ids) != 2 {
		t.Errorf("%d won, %d identities, %v", ok, len(ids), err)
	}
}

func TestCleanOldCard(t *testing.T) {
	for in, want := range map[string]string{"8888 0001": "88880001", " vip-001 ": "VIP001", "%B6001234^WANG/XM^2512?": "6001234", ";6001234=2512101?": "6001234", "%6001234?": "6001234",
		"": "", "123": "", "卡1234": "", strings.Repeat("1", 33): "", "12;34": "", "1234'": ""} {
		if got := CleanOldCard(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestOldCardBinds(t *testing.T) {
	w := newWorld(t)
	staff := desk(t.Context(), 7)
	j, err := w.Register(staff, NewMember{StoreID: 1, Phone: mobile, Name: "王小明"})
	must(t, err)
	other, err := w.Register(staff, NewMember{StoreID: 1, Phone: "13800138001", Name: "李雷"})
	must(t, err)
	c, err := w.AddOldCard(staff, j.MemberID, 1, "8888 0001", "蓝卡")
	must(t, err)
	if again, err := w.AddOldCard(staff, j.MemberID, 1, "88880001", ""); err != nil || again.ID != c.ID {
		t.Errorf("%+v %v", again, err)
	}
	_, err = w.AddOldCard(staff, other.MemberID, 1, "88880001", "")
	if f := wants(t, err, ErrOldCardTaken); f.Detail.(map[string]any)["memberId"] != j.MemberID {
		t.Errorf("%+v", f)
	}
	_, err = w.AddOldCard(staff, j.MemberID, 1, "12", "")
	wantsField(t, err, "no")
	_, err = w.AddOldCard(actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 8, Stores: []int64{2}}), j.MemberID, 1, "99990001", "")
	wants(t, err, fault.ErrStore)

	// Wrong pairs have one answer, and few tries.
	ctx := from(w.person(), "10.0.0.1")
	for _, x := range [][2]string{{"88880002", mobile}, {"88880001", "13800138001"}, {"88880001", "13900000000"}, {"?", mobile}} {
		_, err = w.BindOldCard(ctx, x[0], w.phoneToken(ctx, x[1]), 1)
		if f := wants(t, err, ErrOldCard); f.Message != ErrOldCard.Message || f.Detail != nil || len(f.Fields) > 0 {
			t.Errorf("%v: %+v", x, f)
		}
	}
	_, err = w.LoseOldCard(staff, j.MemberID, c.ID, true, "客人说丢了")
	must(t, err)
	_, err = w.BindOldCard(ctx, "88880001", w.phoneToken(ctx, mobile), 1)
	wants(t, err, ErrOldCard)
	_, err = w.BindOldCard(ctx, "88880001", w.phoneToken(ctx, mobile), 1)
	wants(t, err, fault.ErrTooMany)
	_, err = w.LoseOldCard(staff, j.MemberID, c.ID, false, "找到了")
	must(t, err)

	fresh := from(w.person(), "10.0.0.2")
	got, err := w.BindOldCard(fresh, " 8888-0001 ", w.phoneToken(fresh, mobile), 1)
	must(t, err)
	if got.MemberID != j.MemberID || got.CardNo == "" {
		t.Errorf("%+v", got)
	}
	if got, err := w.BindOldCard(fresh, "88880001", w.phoneToken(fresh, mobile), 1); err != nil || got.MemberID != j.MemberID {
		t.Errorf("again: %+v %v", got, err)
	}
	// A member who leaves frees the number.
	_, err = w.Close(staff, j.MemberID, "不来了")
	must(t, err)
	if _, err := w.AddOldCard(staff, other.MemberID, 1, "88880001", ""); err != nil {
		t.Error(err)
	}
	must(t, w.RemoveOldCard(staff, other.MemberID, func() int64 { l, _ := w.OldCards(t.Context(), other.MemberID); return l[0].ID }(), "登记错了"))
	if l, err := w.OldCards(t.Context(), other.MemberID); err != nil || len(l) > 0 {
		t.Errorf("%v %v", l, err)
	}
}

// Two desks register one number for two members at once: one gets it.
func TestOldCardRegisteredTwiceAtOnce(t *testing.T) {
	w := newWorld(t)
	staff := desk(t.Context(), 7)
	var ids []int64
	for i := range 4 {
		j, err := w.Register(staff, NewMember{StoreID: 1, Phone: fmt.Sprintf("1380013801%d", i), Name: "王小明"})
		must(t, err)
		ids = append(ids, j.MemberID)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	ok := 0
	for _, id := range ids {
		wg.Go(func() {
			_, err := w.AddOldCard(staff, id, 1, "77770001", "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ok++
			} else if !errors.Is(err, ErrOldCardTaken) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ok != 1 {
		t.Errorf("%d got it", ok)
	}
}
