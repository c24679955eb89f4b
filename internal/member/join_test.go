package member

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/wechat"
)

func TestJoinIssuesCard(t *testing.T) {
	w := newWorld(t)
	ctx, j := w.member("13800138000")
	if j.Status != StatusActive || !ValidCardNo(j.CardNo) {
		t.Fatalf("%+v", j)
	}
	m, err := w.Get(ctx, j.MemberID)
	must(t, err)
	if m.Name != "王小明" || m.Phone != "13800138000" || !m.PhoneVerified || m.CharterVersion != 1 {
		t.Fatalf("%+v", m)
	}
	vs, err := w.Vehicles(ctx, j.MemberID)
	must(t, err)
	if len(vs) != 1 || vs[0].Plate != "京A12345" || vs[0].VehicleClassName != "小型车" || vs[0].PlateKind != PlateBlue {
		t.Fatalf("%+v", vs)
	}
	if who := actor.From(ctx); who.MemberID != j.MemberID || who.Name != "王**" || who.App != AppMini {
		t.Fatalf("%+v", who)
	}
	// Joining again gives the same member, whatever the form says.
	again, err := w.Join(ctx, w.form(ctx, "13900139000"))
	must(t, err)
	if again != j {
		t.Fatalf("%+v, want %+v", again, j)
	}
}

func TestJoinReview(t *testing.T) {
	w := newWorld(t)
	must(t, w.settings.Update(t.Context(), []setting.Value{{Key: setting.JoinReview, Value: true}}))
	ctx, j := w.member("13800138000")
	if j.Status != StatusReview || j.CardNo != "" {
		t.Fatalf("%+v", j)
	}
	manager := desk(t.Context(), 1)
	must(t, w.Reject(manager, j.MemberID, "资料不全"))
	wants(t, w.Approve(manager, j.MemberID, ""), ErrState)
	j2, err := w.Join(ctx, w.form(ctx, "13800138000"))
	must(t, err)
	if j2.MemberID != j.MemberID || j2.Status != StatusReview {
		t.Fatalf("%+v", j2)
	}
	must(t, w.Approve(manager, j.MemberID, ""))
	wants(t, w.Approve(manager, j.MemberID, ""), ErrState)
	if c, err := w.Card(ctx, j.MemberID); err != nil || c.Status != CardActive {
		t.Fatalf("%+v %v", c, err)
	}
}

func TestJoinBadInput(t *testing.T) {
	w := newWorld(t)
	_, taken := w.member("13800138000")
	ctx := w.person()
	try := func(edit func(*JoinInput)) error {
		in := w.form(ctx, "13900139000")
		edit(&in)
		_, err := w.Join(ctx, in)
		return err
	}
	wantsField(t, try(func(in *JoinInput) { in.Name = "<script>alert(1)</script>" }), "name")
	wantsField(t, try(func(in *JoinInput) { in.Birthday = "2026-02-30"; in.Gender = "robot" }), "gender", "birthday")
	wantsField(t, try(func(in *JoinInput) { in.Vehicle.Plate = "京A1234O" }), "vehicle.plate")
	wantsField(t, try(func(in *JoinInput) { in.Vehicle.VehicleClassID = 6 }), "vehicle.vehicleClassId")
	wantsField(t, try(func(in *JoinInput) { in.PhoneToken, in.Phone = "", "12345" }), "phone")
	wants(t, try(func(in *JoinInput) { in.CharterVersion = 0 }), ErrCharter)
	if f := wants(t, try(func(in *JoinInput) { in.CharterVersion = 2 }), ErrCharter); f.Detail == nil {
		t.Error("an outdated charter must name the version in force")
	}
	wants(t, try(func(in *JoinInput) { in.PhoneToken = "forged" }), ErrPhoneToken)
	wants(t, try(func(in *JoinInput) { in.PhoneToken = w.phoneToken(w.person(), "13900139000") }), ErrPhoneToken)
	wants(t, try(func(in *JoinInput) { w.clk.Advance(11 * time.Minute) }), ErrPhoneToken)

	// A proved phone that is taken offers to bind; a typed one tells nothing about its owner.
	f := wants(t, try(func(in *JoinInput) { in.PhoneToken = w.phoneToken(ctx, "13800138000") }), ErrPhoneTaken)
	if s := fmt.Sprint(f.Detail); !strings.Contains(s, "王**") || strings.Contains(s, "王小明") || strings.Contains(s, taken.CardNo) {
		t.Fatalf("detail %s", s)
	}
	f = wants(t, try(func(in *JoinInput) { in.PhoneToken, in.Phone = "", "138 0013 8000" }), ErrPhoneTaken)
	if f.Detail != nil {
		t.Fatalf("an unproved phone gave %v", f.Detail)
	}
	var n int
	must(t, w.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM member_members`))
	if n != 1 {
		t.Fatalf("%d members after refused joins", n)
	}
	// Probing phones ends.
	for range joinFailures {
		_ = try(func(in *JoinInput) { in.PhoneToken, in.Phone = "", "13800138000" })
	}
	wants(t, try(func(*JoinInput) {}), fault.ErrTooMany)
}

// N08: one key, one member; the same key with another form is refused.
func TestN08JoinKey(t *testing.T) {
	w := newWorld(t)
	ctx := w.person()
	in := w.form(ctx, "13800138000")
	key := func(hash string) (Joined, error) {
		return w.Join(idem.With(ctx, idem.Key{Actor: "owner:1", Key: "join-0001", Hash: hash}), in)
	}
	a, err := key("h1")
	must(t, err)
	b, err := key("h1")
	must(t, err)
	if a != b {
		t.Fatalf("%+v %+v", a, b)
	}
	_, err = key("h2")
	wants(t, err, idem.ErrReused)
}

func TestJoinAtOnce(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, refused := 0, 0
	for range 12 { // different people, one phone
		ctx := w.person()
		in := w.form(ctx, "13800138000")
		wg.Go(func() {
			_, err := w.Join(ctx, in)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, ErrPhoneTaken):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || refused != 11 {
		t.Fatalf("%d won, %d refused", won, refused)
	}
	ctx := w.person() // one person, many taps
	got := map[int64]int{}
	for i := range 12 {
		in := w.form(ctx, fmt.Sprintf("139001390%02d", i))
		wg.Go(func() {
			j, err := w.Join(ctx, in)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			got[j.MemberID]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Fatalf("one person became %d members", len(got))
	}
	var members, cards int
	must(t, w.db.Get(t.Context(), &members, `SELECT COUNT(*) FROM member_members`))
	must(t, w.db.Get(t.Context(), &cards, `SELECT COUNT(*) FROM member_cards WHERE status = 'active'`))
	if members != 2 || cards != 2 {
		t.Fatalf("%d members, %d cards", members, cards)
	}
}

func TestRegisterAtDeskThenBind(t *testing.T) {
	w := newWorld(t)
	d := desk(t.Context(), 7)
	j, err := w.Register(d, NewMember{StoreID: 1, Phone: "138-0013-8000", Name: "张三", Vehicle: &VehicleInput{Plate: "沪AD12345"}})
	must(t, err)
	f := wants(t, func() error {
		_, err := w.Register(d, NewMember{StoreID: 1, Phone: "13800138000", Name: "李四"})
		return err
	}(), ErrPhoneTaken)
	if fmt.Sprint(f.Detail) != fmt.Sprintf("map[memberId:%d]", j.MemberID) {
		t.Fatalf("%v", f.Detail)
	}
	_, err = w.Register(actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 8, Stores: []int64{2}}), NewMember{StoreID: 1, Phone: "13700137000", Name: "李四"})
	wants(t, err, fault.ErrStore)

	owner := w.person()
	_, err = w.Bind(owner, w.phoneToken(owner, "13600136000"), 1)
	wants(t, err, ErrPhoneUnknown)
	_, err = w.Bind(owner, w.phoneToken(owner, "13800138000"), 9)
	wants(t, err, ErrCharter)
	b, err := w.Bind(owner, w.phoneToken(owner, "13800138000"), 1)
	must(t, err)
	if b != j {
		t.Fatalf("%+v, want %+v", b, j)
	}
	m, err := w.Get(owner, j.MemberID)
	must(t, err)
	if !m.PhoneVerified || m.CharterVersion != 1 {
		t.Fatalf("%+v", m)
	}
	b, err = w.Bind(owner, w.phoneToken(owner, "13800138000"), 1) // again changes nothing
	must(t, err)
	if b.MemberID != j.MemberID {
		t.Fatalf("%+v", b)
	}
}

func TestBindNeverMergesMoney(t *testing.T) {
	w := newWorld(t)
	_, a := w.member("13800138000")
	ctx, b := w.member("13900139000")
	w.purse[b.MemberID] = 100
	_, err := w.Bind(ctx, w.phoneToken(ctx, "13800138000"), 1)
	wants(t, err, ErrHoldsMoney)
	w.purse[b.MemberID] = 0
	got, err := w.Bind(ctx, w.phoneToken(ctx, "13800138000"), 1)
	must(t, err)
	if got.MemberID != a.MemberID {
		t.Fatalf("%+v", got)
	}
	if m, err := w.Get(ctx, b.MemberID); err != nil || m.Phone != "13900139000" {
		t.Fatalf("the other member must stay for the desk: %+v %v", m, err)
	}

	// A phone that somebody typed without proof is no way into their member.
	squatter := w.person()
	in := w.form(squatter, "")
	in.PhoneToken, in.Phone = "", "13700137000"
	_, err = w.Join(squatter, in)
	must(t, err)
	_, err = w.Bind(ctx, w.phoneToken(ctx, "13700137000"), 1)
	wants(t, err, ErrPhoneUnproven)
}

func TestVerifyPhone(t *testing.T) {
	w := newWorld(t)
	w.member("13800138000")
	ctx := w.person()
	w.wx.phones["p1"], w.wx.phones["p2"], w.wx.phones["p3"] = "13800138000", "13900139000", "85212345678"
	p, err := w.VerifyPhone(ctx, "p1")
	must(t, err)
	if !p.Taken || p.Bind == nil || p.Bind.NameMasked != "王**" || p.Bind.TierName != "普通会员" || p.Masked != "138****8000" || strings.Contains(p.Token, "1380013") {
		t.Fatalf("%+v", p)
	}
	if p, err = w.VerifyPhone(ctx, "p2"); err != nil || p.Taken || p.Bind != nil {
		t.Fatalf("%+v %v", p, err)
	}
	_, err = w.VerifyPhone(ctx, "p2")
	wants(t, err, wechat.ErrBadCode)
	_, err = w.VerifyPhone(ctx, "p3")
	wants(t, err, fault.ErrInvalid)
}

// N35: asking WeChat for phones costs money, so one identity may not go on for ever.
func TestN35PhoneThrottle(t *testing.T) {
	w := newWorld(t)
	ctx := w.person()
	for range phoneLimit {
		_, err := w.VerifyPhone(ctx, "nope")
		wants(t, err, wechat.ErrBadCode)
	}
	_, err := w.VerifyPhone(ctx, "nope")
	wants(t, err, fault.ErrTooMany)
	w.clk.Advance(61 * time.Minute)
	_, err = w.VerifyPhone(ctx, "nope")
	wants(t, err, wechat.ErrBadCode)
}

// N24: each app has its own openid; the unionid joins them without asking, an equal openid at another app does not.
func TestN24IdentityPerApp(t *testing.T) {
	w := newWorld(t)
	mini := w.login(wechat.Identity{App: AppMini, OpenID: "same", UnionID: "u1"})
	j, err := w.Join(mini, w.form(mini, "13800138000"))
	must(t, err)
	stranger := w.login(wechat.Identity{App: AppOfficial, OpenID: "same"})
	if who := actor.From(stranger); who.MemberID != 0 || who.ID == actor.From(mini).ID {
		t.Fatalf("%+v", who)
	}
	official := w.login(wechat.Identity{App: AppOfficial, OpenID: "oa-1", UnionID: "u1"})
	if actor.From(official).MemberID != j.MemberID {
		t.Fatalf("%+v", actor.From(official))
	}
	app, openid, err := w.OpenID(t.Context(), actor.From(official).ID)
	if must(t, err); app != AppOfficial || openid != "oa-1" {
		t.Fatalf("%s %s", app, openid)
	}
	ids, err := w.Recipients(t.Context(), j.MemberID)
	if must(t, err); len(ids) != 2 {
		t.Fatalf("%+v", ids)
	}
	// Unbinding one of a person's identities takes the other along, or the next login would bring it back.
	must(t, w.Unbind(desk(t.Context(), 1), j.MemberID, actor.From(official).ID, "本人要求"))
	for _, x := range []wechat.Identity{{App: AppMini, OpenID: "same", UnionID: "u1"}, {App: AppOfficial, OpenID: "oa-1", UnionID: "u1"}} {
		if who := actor.From(w.login(x)); who.MemberID != 0 {
			t.Fatalf("%+v", who)
		}
	}
	wants(t, w.Unbind(desk(t.Context(), 1), j.MemberID, 999, "x"), fault.ErrNotFound)
}

func TestUpdateAndPhoneChange(t *testing.T) {
	w := newWorld(t)
	w.member("13800138000")
	ctx, j := w.member("13900139000")
	name, tier := "赵六", int64(3)
	must(t, w.Update(desk(ctx, 1), j.MemberID, Edit{Name: &name, TierID: &tier, Reason: "更正"}))
	wantsField(t, w.Update(ctx, j.MemberID, Edit{Name: ptr("<b>"), Birthday: ptr("x")}), "name", "birthday")
	if w.ranks.set[j.MemberID] != 3 {
		t.Fatal("tier was not set")
	}
	wants(t, w.ChangePhone(ctx, j.MemberID, w.phoneToken(ctx, "13800138000")), ErrPhoneTaken)
	must(t, w.ChangePhone(ctx, j.MemberID, w.phoneToken(ctx, "13600136000")))
	m, err := w.ByPhone(ctx, "13600136000")
	must(t, err)
	if m.ID != j.MemberID || m.Name != "赵六" {
		t.Fatalf("%+v", m)
	}
	_, err = w.ByPhone(ctx, "13900139000")
	wants(t, err, fault.ErrNotFound)
}

func ptr[T any](v T) *T { return &v }
