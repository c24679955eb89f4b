package oa

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func TestThePresentForFollowingIsOnePerPerson(t *testing.T) {
	r := newRig(t)
	union := r.persona("p3").UnionID
	// Follows first, joins in the mini-program later: the unionid makes it one person.
	must(t, r.wx.Scan("p3", "i=ABCD2345"))
	r.settle()
	if len(r.given()) != 0 {
		t.Fatal("nobody has joined yet:", r.given())
	}
	id := r.join(wechat.MiniProgram, "p3", "13800010003")
	if want := []string{fmt.Sprint(id, " ", union)}; !slices.Equal(r.given(), want) {
		t.Fatal(r.given(), "want", want)
	}
	if want := []string{fmt.Sprint(id, " ABCD2345")}; !slices.Equal(r.invited, want) {
		t.Fatal("the code that brought them carried an invitation:", r.invited)
	}
	if of, err := r.members.MembersOf(t.Context(), wechat.OfficialAccount, []string{r.openID("p3")}); err != nil || len(of) != 0 {
		t.Log("the official account's identity is bound by the next follow or login", of, err)
	}
	// Leaves, comes back, signs in at the official account too: nothing more.
	for range 2 {
		r.clk.Advance(time.Hour)
		must(t, r.wx.SetFollows("p3", false))
		r.settle()
		r.clk.Advance(time.Hour)
		must(t, r.wx.SetFollows("p3", true))
		r.settle()
	}
	p := r.persona("p3")
	_, _, err := r.members.LoginAs(t.Context(), wechat.Identity{App: wechat.OfficialAccount, OpenID: p.OpenIDs[wxsandbox.AppOA], UnionID: union})
	must(t, err)
	if len(r.given()) != 1 {
		t.Fatal("given again:", r.given())
	}
	// The follow made the official account's openid an identity of the member's.
	if of, err := r.members.MembersOf(t.Context(), wechat.OfficialAccount, []string{r.openID("p3")}); err != nil || of[r.openID("p3")] != id {
		t.Fatal(of, err)
	}
	// A member first, follows afterwards; while WeChat does not say who it is, the present waits.
	other := r.join(wechat.MiniProgram, "p10", "13800020004")
	_, err = r.wx.SetFault(wxsandbox.Fault{Target: "api", Kind: "status", Path: "/cgi-bin/user/info", Count: 2})
	must(t, err)
	must(t, r.wx.SetFollows("p10", true))
	r.settle()
	if len(r.given()) != 1 || r.follower(r.openID("p10")).State != Following {
		t.Fatal("the follow counts at once, the present does not:", r.given())
	}
	for range 4 {
		r.clk.Advance(time.Minute)
		r.settle()
	}
	if got := r.given(); len(got) != 2 || got[1] != fmt.Sprint(other, " ", r.persona("p10").UnionID) {
		t.Fatal(got)
	}
	// Who left before joining gets nothing; who has no unionid is who the openid says.
	must(t, r.wx.SetFollows("p4", false))
	r.clk.Advance(time.Second)
	must(t, r.wx.SetFollows("p4", true))
	r.settle()
	r.clk.Advance(time.Second)
	must(t, r.wx.SetFollows("p4", false))
	r.settle()
	third := r.join(wechat.OfficialAccount, "p4", "13800010004")
	if len(r.given()) != 2 {
		t.Fatal(r.given())
	}
	r.clk.Advance(time.Second)
	must(t, r.wx.SetFollows("p4", true))
	r.settle()
	if got := r.given(); len(got) != 3 || got[2] != fmt.Sprint(third, " ", r.openID("p4")) {
		t.Fatal(got)
	}
}

func TestRepliesAndTheMenu(t *testing.T) {
	r := newRig(t)
	ctx := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 1, Name: "孙店长"})
	save := func(in ReplyInput) Reply {
		t.Helper()
		x, err := r.SaveReply(ctx, 0, in)
		must(t, err)
		return x
	}
	price := save(ReplyInput{Kind: Keyword, Name: "价格", Words: []string{"多少钱", " 价格 ", "价格"}, Answer: Answer{Kind: AnswerText, Text: "普洗 35 元 🚿"}})
	save(ReplyInput{Kind: Keyword, Name: "洗车多少钱", Words: []string{"洗车多少钱"}, Answer: Answer{Kind: AnswerMini, Text: "看这里", Link: "价目表", Page: "pages/club/index"}})
	save(ReplyInput{Kind: Keyword, Name: "暗号", Words: []string{"VIP"}, Whole: true, Answer: Answer{Kind: AnswerCoupon, Text: "送你一张券", Link: "点这里领券", Page: "pages/club/claim/index?code=A"}})
	news := save(ReplyInput{Kind: Button, Name: "活动", Answer: Answer{Kind: AnswerArticles, Articles: []Article{{Title: "会员日", Text: "双倍积分", Picture: "/media/x.png", Page: "pages/home/index"}, {Title: "第二篇", URL: "https://example.com/a"}}}})
	save(ReplyInput{Kind: Default, Name: "默认", Answer: Answer{Kind: AnswerText, Text: "稍后回您"}})
	said := func() wxsandbox.ChatEntry {
		t.Helper()
		r.settle()
		c := r.wx.Chat("p1")
		return c[len(c)-1]
	}
	for text, want := range map[string]string{"请问价格": "普洗 35 元", "洗车多少钱？": `data-miniprogram-appid="` + r.c.MiniProgram.AppID, "ｖｉｐ": "点这里领券", "我要vip": "稍后回您", "你好😀": "稍后回您"} {
		r.clk.Advance(time.Second)
		must(t, r.wx.Text("p1", text))
		if e := said(); e.Side != "oa" || !strings.Contains(e.Text, want) {
			t.Errorf("%s: %+v", text, e)
		}
	}
	// What is wrong is said at its field.
	for name, in := range map[string]ReplyInput{
		"words": {Kind: Keyword, Name: "x", Words: []string{" "}, Answer: Answer{Kind: AnswerText, Text: "a"}}, "name": {Kind: Button, Answer: Answer{Kind: AnswerText, Text: "a"}},
		"answer.text": {Kind: Button, Name: "x", Answer: Answer{Kind: AnswerText, Text: strings.Repeat("长", 600)}}, "answer.page": {Kind: Button, Name: "x", Answer: Answer{Kind: AnswerMini, Link: "a", Page: "../x"}},
		"answer.link": {Kind: Button, Name: "x", Answer: Answer{Kind: AnswerMini, Link: "<b>", Page: "pages/home/index"}}, "answer.articles[0].url": {Kind: Button, Name: "x", Answer: Answer{Kind: AnswerArticles, Articles: []Article{{Title: "a", URL: "javascript:alert(1)"}}}},
		"answer.articles": {Kind: Button, Name: "x", Answer: Answer{Kind: AnswerArticles}},
	} {
		_, err := r.SaveReply(ctx, 0, in)
		if f := fault.As(err); err == nil || len(f.Fields) == 0 || f.Fields[0].Field != name {
			t.Errorf("%s: %v %+v", name, err, f)
		}
	}
	if _, err := r.SaveReply(ctx, 0, ReplyInput{Kind: Keyword, Name: "又一个", Words: []string{"价格"}, Answer: Answer{Kind: AnswerText, Text: "a"}}); !errors.Is(err, ErrKeyword) {
		t.Error(err)
	}
	if _, err := r.SaveReply(ctx, 0, ReplyInput{Kind: Default, Name: "第二个默认", Answer: Answer{Kind: AnswerText, Text: "a"}}); !errors.Is(err, fault.ErrBusyWrite) {
		t.Error(err)
	}
	// The menu: a draft, checked, published, tapped, taken away.
	if _, err := r.PublishMenu(ctx); !errors.Is(err, ErrNoDraft) {
		t.Error(err)
	}
	menu := []MenuButton{{Name: "预约", Action: "mini", Page: "pages/booking/index"}, {Name: "会员", Action: "group", Sub: []SubButton{{Name: "会员码", Action: "page", Page: "/pages/code/index"}, {Name: "官网", Action: "url", URL: "https://example.com"}}}, {Name: "活动", Action: "reply", ReplyID: news.ID}}
	for field, change := range map[string]func([]MenuButton){
		"buttons[0].name": func(m []MenuButton) { m[0].Name = "名字实在太长了" }, "buttons[1].sub": func(m []MenuButton) { m[1].Sub = nil }, "buttons[2].replyId": func(m []MenuButton) { m[2].ReplyID = 5 },
		"buttons[0].page": func(m []MenuButton) { m[0].Page = "https://x" }, "buttons[1].sub[1].url": func(m []MenuButton) { m[1].Sub[1].URL = "javascript:1" },
	} {
		bad := slices.Clone(menu)
		bad[1].Sub = slices.Clone(menu[1].Sub)
		change(bad)
		_, err := r.SaveMenu(ctx, bad)
		if f := fault.As(err); !errors.Is(err, ErrMenu) || f.Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if m, err := r.SaveMenu(ctx, menu); err != nil || !m.Changed || m.Published != nil {
		t.Fatal(m, err)
	}
	if m, err := r.PublishMenu(ctx); err != nil || m.Changed || m.Published.By != "孙店长" {
		t.Fatal(m, err)
	}
	if got, err := r.Service.wx.Menu(ctx); err != nil || len(got) != 3 || got[0].Type != "miniprogram" || got[1].Sub[0].URL != r.srv.URL+"/h5/#/pages/code/index" {
		t.Fatalf("%+v %v", got, err)
	}
	r.clk.Advance(time.Second)
	_, err := r.wx.Tap("p1", 2, -1)
	must(t, err)
	if e := said(); e.Kind != "news" || len(e.Articles) != 2 || e.Articles[0].Picture != r.srv.URL+"/media/x.png" {
		t.Fatalf("%+v", e)
	}
	if err := r.DeleteReply(ctx, news.ID); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	must(t, r.DeleteReply(ctx, price.ID))
	if m, err := r.DeleteMenu(ctx); err != nil || m.Published != nil || m.Draft == nil {
		t.Fatal(m, err)
	}
	if got, err := r.Service.wx.Menu(ctx); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
	_, err = r.wx.SetFault(wxsandbox.Fault{Target: "api", Kind: "errcode", Path: "/cgi-bin/menu/create", Value: "40017", Count: 1})
	must(t, err)
	if _, err := r.PublishMenu(ctx); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	if m, err := r.Menus(ctx); err != nil || m.Published != nil {
		t.Error("a menu that WeChat refused is not published", err)
	}
}

func TestCodesSayWhereFollowersComeFrom(t *testing.T) {
	r := newRig(t)
	ctx := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 1, Name: "孙店长"})
	x, err := r.AddScene(ctx, SceneInput{Name: "前台立牌", Scene: "desk"})
	must(t, err)
	if !strings.HasPrefix(x.CodeText, "http://weixin.qq.com/q/") {
		t.Fatal(x.CodeText)
	}
	if _, err := r.AddScene(ctx, SceneInput{Name: "又一个", Scene: "desk"}); !errors.Is(err, ErrScene) {
		t.Error(err)
	}
	must(t, r.wx.Scan("p3", x.CodeText))
	r.settle()
	list, err := r.Scenes(ctx)
	must(t, err)
	if len(list) != 1 || list[0].Follows != 1 {
		t.Fatalf("%+v", list)
	}
	days, err := r.days(ctx, &dayInput{})
	must(t, err)
	if last := days.Days[len(days.Days)-1]; len(days.Days) != 30 || last.Follows != 1 || days.Following != 1 {
		t.Fatalf("%+v", days)
	}
}
