package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/oa"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// openOfficial furnishes the official account: what it answers, a menu that is live, a code at the desk, and the people who follow already.
func (s *seeder) openOfficial(ctx context.Context, until time.Time) error {
	boss := s.as(ctx, s.boss)
	var news oa.Reply
	for _, in := range []oa.ReplyInput{
		{Kind: oa.Welcome, Name: "欢迎语", Answer: oa.Answer{Kind: oa.AnswerMini, Text: "欢迎关注亮车洗护！\n预约洗车不用排队，余额、次卡、优惠券都在这里。", Link: "成为会员，领关注礼", Page: "pages/home/index"}},
		{Kind: oa.Default, Name: "默认回复", Answer: oa.Answer{Kind: oa.AnswerText, Text: "您好，留言已收到，营业时间 9:00–20:00 内会尽快回复。\n发“价格”看价目，发“预约”选时间。"}},
		{Kind: oa.Keyword, Name: "问价格", Words: []string{"价格", "多少钱", "价目"}, Answer: oa.Answer{Kind: oa.AnswerText, Text: "普洗 35 元起，精洗 68 元起，车型不同价格略有差别。办次卡每次更划算。"}},
		{Kind: oa.Keyword, Name: "预约", Words: []string{"预约", "洗车"}, Answer: oa.Answer{Kind: oa.AnswerMini, Text: "选好时间再来，到店不用等。", Link: "马上预约", Page: "pages/booking/index"}},
		{Kind: oa.Button, Name: "会员日图文", Answer: oa.Answer{Kind: oa.AnswerArticles, Articles: []oa.Article{{Title: "每周三会员日，积分双倍", Text: "精洗、打蜡都算", Page: "pages/club/index"}, {Title: "邀请朋友，双方有礼", Page: "pages/club/referral"}}}},
	} {
		r, err := s.Official.SaveReply(boss, 0, in)
		if err != nil {
			return err
		}
		news = r
	}
	menu := []oa.MenuButton{
		{Name: "预约洗车", Action: "mini", Page: "pages/booking/index"},
		{Name: "会员", Action: "group", Sub: []oa.SubButton{{Name: "会员码", Action: "page", Page: "pages/code/index"}, {Name: "充值", Action: "page", Page: "pages/topup/index"}, {Name: "我的卡包", Action: "page", Page: "pages/club/passes"},
			{Name: "我的优惠券", Action: "page", Page: "pages/club/coupons/index"}}},
		{Name: "活动", Action: "reply", ReplyID: news.ID},
	}
	if _, err := s.Official.SaveMenu(boss, menu); err != nil {
		return err
	}
	// The sandbox answers on the same address; where nobody listens the draft stays a draft.
	if _, err := s.Official.PublishMenu(boss); err != nil {
		s.log.WarnContext(ctx, "the demo's menu was not published", "err", err)
	}
	if _, err := s.Official.AddScene(boss, oa.SceneInput{Name: "前台立牌", Scene: "desk"}); err != nil {
		s.log.WarnContext(ctx, "the demo's code was not made", "err", err)
	}
	for i, p := range slices.Backward(s.Sandbox.Personas()) { // who followed first comes first
		if !p.Follows {
			continue
		}
		at := until.AddDate(0, 0, -3*i-1).Truncate(time.Second)
		key := ""
		if i%2 == 0 {
			key = "qrscene_desk"
		}
		_, err := s.Official.Arrive(ctx, wechat.Push{App: wechat.OfficialAccount, From: p.OpenIDs[wxsandbox.AppOA], CreatedAt: at, Type: "event", Event: "subscribe", Key: key, Nonce: fmt.Sprintf("demo-seed-%d", i)})
		if err != nil {
			return err
		}
	}
	return s.Queue.Drain(ctx)
}
