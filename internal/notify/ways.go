package notify

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/sms"
	"github.com/liangche/liangche/internal/wechat"
)

// way is one way to reach a member (X04), with whom it leads to.
type way struct {
	channel  string
	template Template
	granted  bool // each message costs a grant
	to       []Recipient
	phone    string
	none     string // why it leads to nobody
	unknown  bool   // whether it leads to somebody cannot be found out now
}

// answer is what became of one call. The class of what WeChat and the SMS gateways say is one.
type answer struct {
	kind   answerKind
	code   string
	remote string    // the number that the provider gave the message
	detail string    // for people
	until  time.Time // used: when the next period begins
	unsure bool      // away: it may have been taken all the same
}

type answerKind int

const (
	taken    answerKind = iota // sent
	refused                    // the member does not want it, or not so: another way may work
	rejected                   // never on this way
	broken                     // the template is gone: never for anybody, until somebody mends it
	used                       // the quota of the channel is used up
	away                       // not reached: again later
)

// ways lists the ways for a message in the order of preference: the mini-program's subscribe message, the official account's template
// message to those who follow it, SMS. Marketing never goes by template message (N30), and by SMS with consent alone.
func (s *Service) ways(ctx context.Context, p plan, m messageRow) ([]way, error) {
	if p.event.TextOnly() {
		return s.textWay(ctx, p, m)
	}
	people, err := s.dir.Recipients(ctx, m.MemberID)
	if err != nil {
		return nil, err
	}
	mini := way{channel: MiniProgram, template: p.set.used(MiniProgram, m.Event), granted: true}
	account := way{channel: OfficialAccount, template: p.set.used(OfficialAccount, m.Event)}
	for _, r := range people {
		switch {
		case r.OpenID == "":
		case r.App == MiniProgram:
			mini.to = append(mini.to, r)
		case r.App == OfficialAccount && r.Following: // N24: never an openid of the other app, never one that does not follow
			account.to = append(account.to, r)
		case r.App == OfficialAccount && r.Unknown:
			account.unknown = true
		}
	}
	switch {
	case p.event.Marketing() && p.set.shared(mini.template):
		mini.to, mini.none = nil, "模板与其他消息共用，车主允许的不是祝福" // N30: the grant was not given for exactly this
	case len(mini.to) == 0:
		mini.none = "没有小程序身份"
	}
	if len(account.to) == 0 {
		account.none = "没有关注公众号"
	}
	out := []way{mini}
	if !p.event.Marketing() {
		out = append(out, account)
	}
	text, err := s.textWay(ctx, p, m)
	if err != nil {
		return nil, err
	}
	return append(out, text...), nil
}

func (s *Service) textWay(ctx context.Context, p plan, m messageRow) ([]way, error) {
	if s.opt.SMS == nil || s.opt.People == nil || !p.rule.SMS {
		return nil, nil
	}
	w := way{channel: TextMessage, template: p.set.used(TextMessage, m.Event)}
	if p.campaign != nil {
		w.template = p.campaign.Template
	}
	switch {
	case w.template.ID == "":
		return []way{w}, nil
	case !p.pref.SMS:
		w.none = "会员不接收短信"
		return []way{w}, nil
	case p.event.Marketing() && !p.pref.Marketing:
		w.none = "会员没有同意接收祝福与优惠"
		return []way{w}, nil
	}
	phone, err := s.opt.People.Phone(ctx, m.MemberID)
	if err != nil {
		return nil, err
	}
	if w.phone = phone; phone == "" {
		w.none = "没有验证过的手机号"
	} else {
		w.to = []Recipient{{App: TextMessage}}
	}
	return []way{w}, nil
}

// call hands a message to its channel.
func (s *Service) call(ctx context.Context, w way, to Recipient, m messageRow, data map[string]string, zone string) answer {
	now := s.db.Now()
	switch w.channel {
	case MiniProgram:
		return wechatAnswer(s.sender.SendSubscribe(ctx, wechat.SubscribeMessage{OpenID: to.OpenID, TemplateID: w.template.ID, Page: m.Page,
			Data: fill(w.template.Fields, data, zone)}), "", now)
	case OfficialAccount:
		id, err := s.sender.SendTemplate(ctx, wechat.TemplateMessage{OpenID: to.OpenID, TemplateID: w.template.ID, URL: s.address(m.Page),
			ClientMsgID: strconv.FormatInt(m.ID, 10), Data: fill(w.template.Fields, data, zone)})
		return wechatAnswer(err, strconv.FormatInt(id, 10), now)
	}
	id, err := s.opt.SMS.Send(ctx, sms.Message{Phone: w.phone, TemplateID: w.template.ID, Sign: w.template.Sign, Params: params(w.template.Fields, data, zone),
		Ref: strconv.FormatInt(m.ID, 10)})
	return smsAnswer(err, id, now)
}

func (s *Service) address(page string) string {
	if s.opt.PageBase == "" {
		return ""
	}
	return s.opt.PageBase + strings.TrimPrefix(page, "/")
}

// wechatAnswer says what an error of WeChat's means for the message.
func wechatAnswer(err error, remote string, now time.Time) answer {
	a := answer{code: wechat.CodeOf(err), remote: remote}
	switch wechat.ClassOf(err) {
	case "":
		a.kind = taken
	case wechat.Refused: // 43101: no grant is left, 43004: does not follow. Both are normal (N23).
		a.kind, a.detail = refused, "车主未同意接收，或同意次数已用完"
		if a.code == "43004" {
			a.detail = "没有关注公众号"
		}
	case wechat.Quota:
		a.kind, a.detail, a.until = used, "微信接口调用次数已达上限", now.Add(time.Minute)
		if a.code == "45009" { // per day; the day is China's
			a.until = tomorrow(now)
		}
	case wechat.Rejected:
		a.kind, a.detail = rejected, "微信不接受："+or(platformSays[a.code], "错误")+"（"+a.code+"）"
		if a.code == "40037" {
			a.kind, a.detail = broken, "模板在微信后台已被删除或不属于本店（40037），请重新选择模板"
		}
	case wechat.NotConfigured:
		a.kind, a.detail = rejected, "店铺没有接入这个微信渠道"
	default:
		a.kind, a.detail, a.unsure = away, "微信暂时无法连接，将自动重试", wechat.Unsure(err)
	}
	return a
}

// platformSays explains the codes that a shop can do something about.
var platformSays = map[string]string{"40003": "openid 无效", "41030": "打开的页面不存在，小程序需要发布新版本", "47003": "字段与模板不一致，请核对字段", "48001": "没有这项接口权限",
	"43108": "模板类型不符", "40066": "网址无效"}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// smsAnswer says what an error of a gateway means for the message. No gateway recognises a repeat, so nothing that it may have taken is
// sent again by itself.
func smsAnswer(err error, remote string, now time.Time) answer {
	var e *sms.Error
	_ = errors.As(err, &e)
	a := answer{remote: remote}
	if e != nil {
		a.code = e.Code
	}
	switch sms.ClassOf(err) {
	case "":
		a.kind = taken
	case sms.Limited:
		a.kind, a.detail, a.until = used, "短信发送达到上限或套餐用完", now.Add(time.Hour)
	case sms.Rejected:
		a.kind, a.detail = rejected, "短信没有被受理："+a.code
		if c := strings.ToLower(a.code); strings.Contains(c, "template") && (strings.Contains(c, "incorrect") || strings.Contains(c, "illegal") || strings.Contains(c, "unapproved")) {
			a.kind, a.detail = broken, "短信模板未通过审核或已被删除（"+a.code+"），请重新填写模板"
		}
	case sms.NotConfigured:
		a.kind, a.detail = rejected, "店铺没有接入短信"
	default:
		a.kind, a.detail = away, "短信通道暂时无法连接，将自动重试"
		if e != nil && e.Uncertain {
			a.kind, a.detail = rejected, "短信通道没有答复，不确定是否送达"
		}
	}
	return a
}

// tomorrow is shortly after China's next midnight, when WeChat counts anew.
func tomorrow(now time.Time) time.Time {
	local := now.In(bizday.Location(bizday.DefaultZone))
	return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 1, 0, 0, local.Location())
}

// params are the values of an SMS template, in its order. Providers refuse long values.
func params(fields []Field, data map[string]string, zone string) []sms.Param {
	out := make([]sms.Param, 0, len(fields))
	for _, f := range fields {
		out = append(out, sms.Param{Name: f.Key, Value: textValue(f, data, zone)})
	}
	return out
}

// maxParam is how long a value in an SMS may be, in characters.
const maxParam = 35

func textValue(f Field, data map[string]string, zone string) string {
	v, fixed := strings.CutPrefix(f.From, "=")
	if !fixed {
		v = data[f.From]
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			v = t.In(bizday.Location(zone)).Format("1月2日15:04")
		}
	}
	v = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r > 0xffff { // gateways refuse what is outside the basic plane
			return -1
		}
		return r
	}, strings.ToValidUTF8(v, "")))
	if v == "" {
		return "无"
	}
	return db.Clip(v, maxParam)
}
