// Package oa is the shop's official account: what WeChat pushes, who follows, the menu, and what is answered (M02, F02).
//
// Model: an arrival is one pushed message or event, kept in the inbox in the same transaction as the job that handles it; a Follower is a person of
// the official account, with the scene of the code that brought them; a move is one follow or unfollow. A Menu is a draft and what was published; a
// Reply is a message with the words that call for it: the welcome, the default, keywords, menu buttons. A Scene is a code that leads to the account.
// Owns: oa_inbox, oa_followers, oa_moves, oa_menus, oa_replies, oa_scenes.
// Invariants: what WeChat pushes is kept before it is answered and handled once, however often it comes and in which order (N25); a follower's state
// follows WeChat's own time of the events (N24); a person gets the present for following once, as unionid or openid, and only while following; whoever
// takes an authorisation back is forgotten here and unbound from the member.
package oa

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
)

// The states of a follower.
const (
	Following = "following"
	Left      = "left"    // unfollowed
	Revoked   = "revoked" // took the authorisation back: nothing personal is kept
	Stranger  = "never"   // known by a login only; WeChat was asked and says no
)

// The kinds of replies.
const (
	Welcome = "welcome" // to who follows
	Default = "default" // to a text without a keyword
	Keyword = "keyword"
	Button  = "button" // of a menu button only
)

// The kinds of answers.
const (
	AnswerText     = "text"
	AnswerArticles = "articles"
	AnswerMini     = "mini"   // a text with a link into the mini-program; H5 where there is none
	AnswerCoupon   = "coupon" // a text with the link of a claim page
)

// The states of an arrival.
const (
	stateNew  = "new"  // a job handles it
	stateDone = "done" //
	stateKept = "kept" // nobody handles such an event: kept as it came
)

// The kinds of moves.
const (
	moveFollow   = "follow"
	moveUnfollow = "unfollow"
)

// Limits of WeChat.
const (
	maxButtons    = 3
	maxSubButtons = 5
	maxText       = 2047 // bytes of an answered text
	maxArticles   = 8
	maxReplies    = 100
	maxScenes     = 500
)

// Faults of this package.
var (
	ErrMenu     = fault.Define(fault.Invalid, "oa.menu", "菜单有没填对的地方，请检查标出的按钮")
	ErrNoDraft  = fault.Define(fault.Conflict, "oa.no_draft", "还没有菜单草稿，请先编辑并保存")
	ErrRefused  = fault.Define(fault.Conflict, "oa.menu_refused", "微信没有接受这份菜单，请检查链接和小程序路径后再发布")
	ErrTooMany  = fault.Define(fault.Conflict, "oa.too_many", "数量已到上限，请先删除不用的")
	ErrAddress  = fault.Define(fault.Invalid, "oa.address", "只能为本店的网页签名")
	ErrKeyword  = fault.Define(fault.Conflict, "oa.keyword_taken", "这个关键词已有回复，请换一个或修改原来的回复")
	ErrInUse    = fault.Define(fault.Conflict, "oa.reply_in_use", "菜单按钮正在使用这条回复，请先改菜单")
	ErrScene    = fault.Define(fault.Conflict, "oa.scene_taken", "这个渠道码已经有了，请换一个")
	errReplayed = wechat.ErrReplayed
)

// Deps are what the service is built on. The functions may be nil where nobody answers.
type Deps struct {
	// GiftTx gives what the rules say to a member who follows for the first time; person is who they are for ever.
	GiftTx func(ctx context.Context, tx *db.Tx, memberID int64, person string) error
	// InvitedTx hears of the invite code in the scene that brought a new member; it ignores one who was invited before.
	InvitedTx func(ctx context.Context, tx *db.Tx, memberID int64, code string) error
	// DeliveredTx hears what became of a template message.
	DeliveredTx func(ctx context.Context, tx *db.Tx, app string, msgID int64, status string) error
	// ForgetTx forgets an identity that took its authorisation back; it returns the member it was bound to, 0 for none.
	ForgetTx func(ctx context.Context, tx *db.Tx, app, openID string) (memberID int64, err error)
	// StoreName names a store. Fault: fault.ErrNotFound.
	StoreName func(ctx context.Context, id int64) (string, error)
	ShopName  func(ctx context.Context) (string, error)
	PublicURL string // scheme://host
}

// Follower is a person of the official account.
type Follower struct {
	ID         int64
	OpenID     string // "" once revoked
	UnionID    string
	State      string
	FirstScene string
	Scene      string // of the last time
	Source     string // what WeChat says of how they came
	Follows    int    // how often they followed
	FirstAt    time.Time
	LastAt     time.Time // followed last
	LeftAt     time.Time // zero while following
	GiftAt     time.Time // zero: no present was given yet
}

// MenuButton is a button of the menu as the shop edits it.
type MenuButton struct {
	Name    string      `json:"name" maxLength:"60"`
	Action  string      `json:"action" enum:"group,reply,page,url,mini" doc:"group: has buttons; reply: answers; page: of our H5; url: any address; mini: the mini-program"`
	ReplyID int64       `json:"replyId,omitempty" minimum:"0"`
	Page    string      `json:"page,omitempty" maxLength:"200" doc:"page and mini: pages/home/index?x=1"`
	URL     string      `json:"url,omitempty" maxLength:"500"`
	Sub     []SubButton `json:"sub,omitempty" maxItems:"5"`
}

// SubButton is a button of a group.
type SubButton struct {
	Name    string `json:"name" maxLength:"60"`
	Action  string `json:"action" enum:"reply,page,url,mini"`
	ReplyID int64  `json:"replyId,omitempty" minimum:"0"`
	Page    string `json:"page,omitempty" maxLength:"200"`
	URL     string `json:"url,omitempty" maxLength:"500"`
}

// own is what a button without a group does.
func (b MenuButton) own() SubButton { return SubButton{b.Name, b.Action, b.ReplyID, b.Page, b.URL} }

// Answer is what a reply says.
type Answer struct {
	Kind     string    `json:"kind" enum:"text,articles,mini,coupon"`
	Text     string    `json:"text,omitempty" maxLength:"600" doc:"Of all kinds but articles"`
	Link     string    `json:"link,omitempty" maxLength:"30" doc:"mini, coupon: the words that are tapped"`
	Page     string    `json:"page,omitempty" maxLength:"200" doc:"mini, coupon: pages/home/index?x=1"`
	Articles []Article `json:"articles,omitempty" maxItems:"8" doc:"WeChat shows only the first where somebody wrote something"`
}

// Article is a picture with words that leads somewhere.
type Article struct {
	Title   string `json:"title" maxLength:"64"`
	Text    string `json:"text,omitempty" maxLength:"120"`
	Picture string `json:"picture,omitempty" maxLength:"300" doc:"https address, or a picture of ours"`
	Page    string `json:"page,omitempty" maxLength:"200"`
	URL     string `json:"url,omitempty" maxLength:"500"`
}

// Reply is an answer and what calls for it.
type Reply struct {
	ID        int64
	Kind      string
	Name      string
	Words     []string
	Whole     bool // the whole text must be the word, not only contain it
	Answer    Answer
	Active    bool
	UpdatedAt time.Time
}

// pageForm is a page of ours, without a leading slash; a query may follow.
var pageForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_.~%=&-]*)?$`)

func pageOK(p string) bool { return len(p) <= 200 && pageForm.MatchString(p) }

// addressOK: WeChat opens no other scheme.
func addressOK(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && len(s) <= 500
}

// nameOK: WeChat counts the bytes of a name, 16 at the bottom and 60 above.
func nameOK(s string, most int) bool {
	return strings.TrimSpace(s) != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// checkMenu names what is wrong with a menu. known says which replies there are. Fault: ErrMenu.
func checkMenu(list []MenuButton, known map[int64]bool) error {
	var c fault.Complaints
	if len(list) == 0 || len(list) > maxButtons {
		c.Bad("buttons", fmt.Sprintf("一级菜单应有 1 至 %d 个按钮", maxButtons))
	}
	for i := range list {
		b, at := &list[i], fmt.Sprintf("buttons[%d]", i)
		if b.Action != "group" {
			x := b.own()
			x.check(&c, at, 16, "名称最多 5 个汉字或 16 个字母", known)
			*b = MenuButton{Name: x.Name, Action: x.Action, ReplyID: x.ReplyID, Page: x.Page, URL: x.URL}
			continue
		}
		if !nameOK(b.Name, 16) {
			c.Bad(at+".name", "名称最多 5 个汉字或 16 个字母")
		}
		if len(b.Sub) == 0 || len(b.Sub) > maxSubButtons {
			c.Bad(at+".sub", fmt.Sprintf("子菜单应有 1 至 %d 个按钮", maxSubButtons))
		}
		for j := range b.Sub {
			b.Sub[j].check(&c, fmt.Sprintf("%s.sub[%d]", at, j), 60, "名称最多 20 个汉字或 60 个字母", known)
		}
	}
	if c.Err() == nil {
		return nil
	}
	f := *ErrMenu
	f.Fields = fault.As(c.Err()).Fields
	return &f
}

func (b *SubButton) check(c *fault.Complaints, at string, most int, longest string, known map[int64]bool) {
	b.Name = strings.TrimSpace(b.Name)
	if !nameOK(b.Name, most) {
		c.Bad(at+".name", longest)
	}
	switch b.Action {
	case "reply":
		if !known[b.ReplyID] {
			c.Bad(at+".replyId", "请选择一条回复")
		}
		b.Page, b.URL = "", ""
	case "page", "mini":
		b.Page = strings.TrimPrefix(strings.TrimSpace(b.Page), "/")
		if !pageOK(b.Page) {
			c.Bad(at+".page", "请选择页面，或填写 pages/home/index 这样的路径")
		}
		b.ReplyID, b.URL = 0, ""
	case "url":
		b.URL = strings.TrimSpace(b.URL)
		if !addressOK(b.URL) {
			c.Bad(at+".url", "请填写 https:// 开头的完整网址")
		}
		b.ReplyID, b.Page = 0, ""
	default:
		c.Bad(at+".action", "请选择点击后做什么")
	}
}

// keyPrefix begins the key of a button that answers.
const keyPrefix = "reply-"

// forWeChat writes the menu in WeChat's form. miniApp is "" where the shop has none: then its buttons open the H5 page.
func forWeChat(list []MenuButton, pageBase, miniApp string) []wechat.MenuButton {
	out := make([]wechat.MenuButton, 0, len(list))
	for _, b := range list {
		if b.Action != "group" {
			out = append(out, b.own().forWeChat(pageBase, miniApp))
			continue
		}
		x := wechat.MenuButton{Name: b.Name}
		for _, sub := range b.Sub {
			x.Sub = append(x.Sub, sub.forWeChat(pageBase, miniApp))
		}
		out = append(out, x)
	}
	return out
}

func (b SubButton) forWeChat(pageBase, miniApp string) wechat.MenuButton {
	x := wechat.MenuButton{Name: b.Name, Type: "view"}
	switch {
	case b.Action == "reply":
		x.Type, x.Key = "click", fmt.Sprintf("%s%d", keyPrefix, b.ReplyID)
	case b.Action == "url":
		x.URL = b.URL
	case b.Action == "mini" && miniApp != "":
		x.Type, x.URL, x.AppID, x.PagePath = "miniprogram", pageBase+b.Page, miniApp, b.Page
	default:
		x.URL = pageBase + b.Page
	}
	return x
}

// check names what is wrong with an answer at a field. Fault: fault.ErrInvalid.
func (a *Answer) check(c *fault.Complaints, at string) {
	bad := func(field, text string) { c.Bad(at+"."+field, text) }
	a.Text = strings.TrimSpace(strings.ReplaceAll(a.Text, "\r\n", "\n"))
	switch a.Kind {
	case AnswerArticles:
		a.Text, a.Link, a.Page = "", "", ""
		if len(a.Articles) == 0 || len(a.Articles) > maxArticles {
			bad("articles", fmt.Sprintf("请填写 1 至 %d 篇图文", maxArticles))
		}
		for i := range a.Articles {
			a.Articles[i].check(bad, fmt.Sprintf("articles[%d]", i))
		}
		return
	case AnswerMini, AnswerCoupon:
		a.Link, a.Page = strings.TrimSpace(a.Link), strings.TrimPrefix(strings.TrimSpace(a.Page), "/")
		if !pageOK(a.Page) {
			bad("page", "请选择页面，或填写 pages/home/index 这样的路径")
		}
		if a.Link == "" || strings.ContainsAny(a.Link, "<>") || strings.ContainsFunc(a.Link, unicode.IsControl) {
			bad("link", "请填写点击的文字")
		}
	case AnswerText:
		a.Link, a.Page = "", ""
		if a.Text == "" {
			bad("text", "请填写回复内容")
		}
	default:
		bad("kind", "请选择回复的类型")
	}
	a.Articles = nil
	if strings.ContainsFunc(a.Text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) || !utf8.ValidString(a.Text) {
		bad("text", "内容里有不能发送的字符")
	}
	if len(a.Text) > maxText-500 {
		bad("text", "内容太长，最多约 500 个汉字")
	}
}

func (a *Article) check(bad func(field, text string), at string) {
	a.Title, a.Text, a.Picture = strings.TrimSpace(a.Title), strings.TrimSpace(a.Text), strings.TrimSpace(a.Picture)
	a.Page, a.URL = strings.TrimPrefix(strings.TrimSpace(a.Page), "/"), strings.TrimSpace(a.URL)
	if a.Title == "" || strings.ContainsFunc(a.Title, unicode.IsControl) {
		bad(at+".title", "请填写标题")
	}
	if a.Picture != "" && !strings.HasPrefix(a.Picture, "/media/") && !addressOK(a.Picture) {
		bad(at+".picture", "请上传图片，或填写 https:// 开头的图片地址")
	}
	switch {
	case a.URL != "" && !addressOK(a.URL):
		bad(at+".url", "请填写 https:// 开头的完整网址")
	case a.URL == "" && !pageOK(a.Page):
		bad(at+".page", "请选择点开后的页面")
	}
}

// words cleans keywords: trimmed, without case, each once. Fault: fault.ErrInvalid.
func cleanWords(c *fault.Complaints, in []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, w := range in {
		w = fold(w)
		if w == "" || seen[w] {
			continue
		}
		if utf8.RuneCountInString(w) > 20 {
			c.Bad("words", "每个关键词最多 20 个字")
		}
		seen[w] = true
		out = append(out, w)
	}
	if len(out) == 0 || len(out) > 20 {
		c.Bad("words", "请填写 1 至 20 个关键词")
	}
	return out
}

// fold makes texts comparable: without case, space at the ends and full-width forms of ASCII.
func fold(s string) string {
	return strings.ToLower(strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '　':
			return ' '
		case r >= '！' && r <= '～':
			return r - 0xfee0
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, s)))
}

// book is the copy of the replies from which answers are found.
type book struct {
	welcome, fallback *Reply
	whole             map[string]*Reply // by word
	parts             []part            // in the order of the console: the longest word first
	byID              map[int64]*Reply
}

type part struct {
	word  string
	reply *Reply
}

func newBook(all []Reply) book {
	b := book{whole: map[string]*Reply{}, byID: map[int64]*Reply{}}
	for i := range all {
		r := &all[i]
		b.byID[r.ID] = r
		switch {
		case !r.Active:
		case r.Kind == Welcome:
			b.welcome = r
		case r.Kind == Default:
			b.fallback = r
		case r.Kind == Keyword:
			for _, w := range r.Words {
				if r.Whole {
					b.whole[w] = r
				} else {
					b.parts = append(b.parts, part{w, r})
				}
			}
		}
	}
	sortParts(b.parts)
	return b
}

// find says which reply a text calls for: the whole word first, then the longest that it contains, then the default. nil: none.
func (b book) find(text string) *Reply {
	t := fold(text)
	if r := b.whole[t]; r != nil {
		return r
	}
	for _, p := range b.parts {
		if strings.Contains(t, p.word) {
			return p.reply
		}
	}
	return b.fallback
}

// link is a tap-able text; in a mini-program's official account it opens the mini-program.
func link(words, pageBase, page, miniApp string) string {
	attr := ""
	if miniApp != "" {
		attr = fmt.Sprintf(` data-miniprogram-appid="%s" data-miniprogram-path="%s"`, html.EscapeString(miniApp), html.EscapeString(page))
	}
	return fmt.Sprintf(`<a href="%s"%s>%s</a>`, html.EscapeString(pageBase+page), attr, html.EscapeString(words))
}

// render writes an answer for WeChat. own says that somebody wrote: then WeChat takes one article only.
func (a Answer) render(publicURL, pageBase, miniApp string, own bool) wechat.Reply {
	switch a.Kind {
	case AnswerArticles:
		list := a.Articles
		if own && len(list) > 1 {
			list = list[:1]
		}
		var out wechat.Reply
		for _, x := range list {
			to, picture := x.URL, x.Picture
			if to == "" {
				to = pageBase + x.Page
			}
			if strings.HasPrefix(picture, "/") {
				picture = publicURL + picture
			}
			out.Articles = append(out.Articles, wechat.Article{Title: x.Title, Description: x.Text, PictureURL: picture, URL: to})
		}
		return out
	case AnswerMini:
		return wechat.Reply{Text: strings.TrimSpace(a.Text + "\n\n" + link(a.Link, pageBase, a.Page, miniApp))}
	case AnswerCoupon:
		return wechat.Reply{Text: strings.TrimSpace(a.Text + "\n\n" + link(a.Link, pageBase, a.Page, ""))}
	}
	return wechat.Reply{Text: a.Text}
}

var (
	inviteScene = regexp.MustCompile(`^i=([A-Za-z0-9-]{4,32})$`)
	sceneForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
)

// sceneOf is the scene in an event's key: "qrscene_X" of a follow, "X" of a scan.
func sceneOf(key string) string { return db.Clip(strings.TrimPrefix(key, "qrscene_"), 64) }

// inviteOf is the invite code that a scene carries, "" for none.
func inviteOf(scene string) string {
	if m := inviteScene.FindStringSubmatch(scene); m != nil {
		return m[1]
	}
	return ""
}
