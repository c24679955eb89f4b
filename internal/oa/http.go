package oa

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

// ReplyView is a reply as the console shows it.
type ReplyView struct {
	ID        int64     `json:"id"`
	Kind      string    `json:"kind" enum:"welcome,default,keyword,button"`
	Name      string    `json:"name"`
	Words     []string  `json:"words"`
	Whole     bool      `json:"whole"`
	Answer    Answer    `json:"answer"`
	Active    bool      `json:"active"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// FollowerView is a follower as the console shows it; WeChat gives neither name nor picture.
type FollowerView struct {
	ID       int64      `json:"id"`
	State    string     `json:"state" enum:"following,left,revoked,never"`
	Label    string     `json:"label" doc:"The end of the openid"`
	Member   string     `json:"member,omitempty" doc:"Masked name of the member, when it is one"`
	MemberID int64      `json:"memberId,omitempty"`
	From     string     `json:"from" doc:"The code that brought them first, by its name"`
	Source   string     `json:"source"`
	Follows  int        `json:"follows"`
	FirstAt  time.Time  `json:"firstAt"`
	LastAt   *time.Time `json:"lastAt,omitempty"`
	LeftAt   *time.Time `json:"leftAt,omitempty"`
	GiftAt   *time.Time `json:"giftAt,omitempty"`
	HasUnion bool       `json:"hasUnion" doc:"WeChat gave a unionid"`
}

// FollowerDays is how many came and left.
type FollowerDays struct {
	Following int64      `json:"following" doc:"Now"`
	Days      []DayCount `json:"days"`
}

// ArrivalView is what WeChat pushed, as the console shows it.
type ArrivalView struct {
	ID      int64      `json:"id"`
	App     string     `json:"app" enum:"mini_program,official_account"`
	Kind    string     `json:"kind"`
	State   string     `json:"state" enum:"new,done,kept"`
	Label   string     `json:"label" doc:"The end of the openid"`
	Key     string     `json:"key"`
	Content string     `json:"content"`
	Body    string     `json:"body,omitempty" doc:"As it came, of events that nobody handles"`
	At      time.Time  `json:"at" doc:"When WeChat says it happened"`
	GotAt   time.Time  `json:"gotAt"`
	DoneAt  *time.Time `json:"doneAt,omitempty"`
}

// SceneView is a code as the console shows it.
type SceneView struct {
	ID        int64  `json:"id"`
	Scene     string `json:"scene"`
	Name      string `json:"name"`
	StoreID   int64  `json:"storeId,omitempty"`
	StoreName string `json:"storeName,omitempty"`
	CodeText  string `json:"codeText" doc:"What the picture of the code says"`
	Follows   int64  `json:"follows"`
}

// MenuAsk is a draft.
type MenuAsk struct {
	Buttons []MenuButton `json:"buttons" maxItems:"3"`
}

// LiveMenu is what phones show.
type LiveMenu struct {
	Buttons []LiveButton `json:"buttons"`
}

// LiveButton is a button as WeChat has it.
type LiveButton struct {
	Name string    `json:"name"`
	Type string    `json:"type"`
	To   string    `json:"to" doc:"Key, address or page"`
	Sub  []LiveSub `json:"sub"`
}

// LiveSub is a button of a group as WeChat has it.
type LiveSub struct {
	Name string `json:"name"`
	Type string `json:"type"`
	To   string `json:"to"`
}

// TryAsk is a text that somebody may send.
type TryAsk struct {
	Text string `json:"text" maxLength:"600"`
}

// Tried is what would be answered.
type Tried struct {
	Reply    *ReplyView `json:"reply,omitempty" doc:"Absent: nothing is answered"`
	Text     string     `json:"text,omitempty"`
	Articles []Article  `json:"articles"`
}

type dayInput struct {
	From string `query:"from" maxLength:"10" doc:"YYYY-MM-DD; 29 days before To when absent"`
	To   string `query:"to" maxLength:"10" doc:"YYYY-MM-DD; today when absent"`
}

type followerInput struct {
	httpapi.Paging
	State string `query:"state" enum:"following,left,revoked"`
	Scene string `query:"scene" maxLength:"64"`
}

type arrivalInput struct {
	httpapi.Paging
	State string `query:"state" enum:"new,done,kept"`
	Kind  string `query:"kind" maxLength:"64"`
}

type signInput struct {
	URL string `query:"url" required:"true" minLength:"1" maxLength:"1000" doc:"Address of the page without what stands behind #"`
}

// Hook is the message callback of an app: it goes beside the contract, because WeChat speaks XML.
func (s *Service) Hook(app string) http.Handler { return s.wx.Pushes(app, s.db.Now, s.Arrive) }

// Routes registers the operations of the official account, and WeChat's callbacks.
func (s *Service) Routes(r *httpapi.Router) {
	for path, app := range map[string]string{"/hooks/oa": wechat.OfficialAccount, "/hooks/mp": wechat.MiniProgram} {
		h := s.Hook(app)
		r.Raw(http.MethodGet, path, h)
		r.Raw(http.MethodPost, path, h)
	}
	calls := httpapi.NewLimiter(time.Second, 60)
	httpapi.Register(r, httpapi.Op{ID: "ownerJssdk", Method: http.MethodGet, Path: "/api/owner/jssdk", Summary: "Sign a page of ours for WeChat's JS-SDK", Who: httpapi.Public},
		func(ctx context.Context, in *signInput) (wechat.JSConfig, error) {
			if err := calls.Allow(s.db.Now(), httpapi.ClientIP(ctx)); err != nil {
				return wechat.JSConfig{}, err
			}
			return s.Sign(ctx, in.URL)
		})
	s.menuRoutes(r)
	s.replyRoutes(r)
	s.peopleRoutes(r)
}

func op(id, method, path, summary, permission string) httpapi.Op {
	return httpapi.Op{ID: id, Method: method, Path: "/api/console/oa" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
}

func (s *Service) menuRoutes(r *httpapi.Router) {
	httpapi.Register(r, op("consoleOaMenu", http.MethodGet, "/menu", "The menu: draft and published", perm.OARead),
		func(ctx context.Context, _ *httpapi.None) (Menus, error) { return s.Menus(ctx) })
	httpapi.Register(r, op("consoleOaMenuSave", http.MethodPut, "/menu", "Keep a draft of the menu", perm.OAWrite),
		func(ctx context.Context, in *httpapi.Body[MenuAsk]) (Menus, error) {
			return s.SaveMenu(ctx, in.Body.Buttons)
		})
	httpapi.Register(r, op("consoleOaMenuPublish", http.MethodPost, "/menu/publish", "Send the draft to WeChat", perm.OAWrite),
		func(ctx context.Context, _ *httpapi.None) (Menus, error) { return s.PublishMenu(ctx) })
	httpapi.Register(r, op("consoleOaMenuDelete", http.MethodPost, "/menu/delete", "Take the menu away at WeChat", perm.OAWrite),
		func(ctx context.Context, _ *httpapi.None) (Menus, error) { return s.DeleteMenu(ctx) })
	httpapi.Register(r, op("consoleOaMenuLive", http.MethodGet, "/menu/live", "The menu that WeChat shows", perm.OARead),
		func(ctx context.Context, _ *httpapi.None) (LiveMenu, error) {
			list, err := s.wx.Menu(ctx)
			return LiveMenu{live(list)}, wechat.Fault(err)
		})
}

func live(list []wechat.MenuButton) []LiveButton {
	out := make([]LiveButton, 0, len(list))
	for _, b := range list {
		x := LiveButton{Name: b.Name, Type: b.Type, To: leadsTo(b)}
		for _, sub := range b.Sub {
			x.Sub = append(x.Sub, LiveSub{sub.Name, sub.Type, leadsTo(sub)})
		}
		out = append(out, x)
	}
	return out
}

func leadsTo(b wechat.MenuButton) string {
	switch {
	case b.PagePath != "":
		return b.PagePath
	case b.URL != "":
		return b.URL
	}
	return b.Key
}

func (s *Service) replyRoutes(r *httpapi.Router) {
	httpapi.Register(r, op("consoleOaReplies", http.MethodGet, "/replies", "What is answered to whom", perm.OARead),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[ReplyView], error) {
			all, err := s.Replies(ctx)
			list := make([]ReplyView, 0, len(all))
			for _, x := range all {
				list = append(list, x.view())
			}
			return httpapi.Cut(list, *in, func(v ReplyView) int64 { return v.ID }), err
		})
	httpapi.Register(r, op("consoleOaReplyCreate", http.MethodPost, "/replies", "A new reply", perm.OAWrite),
		func(ctx context.Context, in *httpapi.Body[ReplyInput]) (ReplyView, error) {
			x, err := s.SaveReply(ctx, 0, in.Body)
			return x.view(), err
		})
	httpapi.Register(r, op("consoleOaReplyUpdate", http.MethodPut, "/replies/{id}", "Change a reply; its kind stays", perm.OAWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[ReplyInput]) (ReplyView, error) {
			x, err := s.SaveReply(ctx, in.ID, in.Body)
			return x.view(), err
		})
	httpapi.Register(r, op("consoleOaReplyDelete", http.MethodDelete, "/replies/{id}", "Remove a reply", perm.OAWrite),
		func(ctx context.Context, in *httpapi.ByID) (httpapi.None, error) {
			return httpapi.None{}, s.DeleteReply(ctx, in.ID)
		})
	httpapi.Register(r, op("consoleOaReplyTry", http.MethodPost, "/replies/try", "What would be answered to a text", perm.OARead),
		func(ctx context.Context, in *httpapi.Body[TryAsk]) (out Tried, err error) {
			x, said, err := s.Try(ctx, in.Body.Text)
			if x != nil {
				v := x.view()
				out.Reply, out.Text = &v, said.Text
			}
			for _, a := range said.Articles {
				out.Articles = append(out.Articles, Article{Title: a.Title, Text: a.Description, Picture: a.PictureURL, URL: a.URL})
			}
			return out, err
		})
}

func (r Reply) view() ReplyView {
	return ReplyView(r)
}

func (s *Service) peopleRoutes(r *httpapi.Router) {
	httpapi.Register(r, op("consoleOaFollowers", http.MethodGet, "/followers", "Who follows, newest first", perm.OARead), s.followers)
	httpapi.Register(r, op("consoleOaFollowerDays", http.MethodGet, "/followers/days", "How many came and left, by day", perm.OARead), s.days)
	httpapi.Register(r, op("consoleOaArrivals", http.MethodGet, "/arrivals", "What WeChat pushed in the last 30 days, newest first", perm.OARead), s.arrivals)
	httpapi.Register(r, op("consoleOaScenes", http.MethodGet, "/scenes", "Codes that lead to the account", perm.OARead),
		func(ctx context.Context, in *httpapi.ShortPaging) (out httpapi.Page[SceneView], err error) {
			all, err := s.Scenes(ctx)
			list := make([]SceneView, 0, len(all))
			for _, x := range all {
				list = append(list, SceneView(x))
			}
			return httpapi.Cut(list, *in, func(v SceneView) int64 { return v.ID }), err
		})
	httpapi.Register(r, op("consoleOaSceneCreate", http.MethodPost, "/scenes", "A new code", perm.OAWrite),
		func(ctx context.Context, in *httpapi.Body[SceneInput]) (SceneView, error) {
			x, err := s.AddScene(ctx, in.Body)
			return SceneView(x), err
		})
}

func (s *Service) days(ctx context.Context, in *dayInput) (out FollowerDays, err error) {
	to := in.To
	if to == "" {
		to = bizday.Of(s.db.Now(), zone)
	}
	if !bizday.Valid(to) || in.From != "" && !bizday.Valid(in.From) {
		return out, fault.ErrInvalid.On("from", "请选择日期")
	}
	from := in.From
	if from == "" {
		from = bizday.Add(to, -29)
	}
	if from > to || bizday.Add(from, 370) < to {
		return out, fault.ErrInvalid.On("from", "一次最多看一年")
	}
	got, err := readDays(ctx, s.db, from, to)
	if err != nil {
		return out, err
	}
	for d := from; d <= to; d = bizday.Add(d, 1) {
		x := got[d]
		x.Day = d
		out.Days = append(out.Days, x)
	}
	out.Following, err = countFollowing(ctx, s.db)
	return out, err
}

// tail is how an openid is told from others without being shown.
func tail(openID string) string {
	if len(openID) <= 6 {
		return openID
	}
	return "…" + openID[len(openID)-6:]
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Service) followers(ctx context.Context, in *followerInput) (out httpapi.Page[FollowerView], err error) {
	rows, err := readFollowers(ctx, s.db, in.State, in.Scene, in.After, in.Limit+1)
	if err != nil {
		return out, err
	}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		out.Next = strconv.FormatInt(rows[in.Limit-1].ID, 10)
	}
	names, err := s.keyNames(ctx)
	if err != nil {
		return out, err
	}
	var openIDs []string
	for _, x := range rows {
		if x.OpenID != nil {
			openIDs = append(openIDs, *x.OpenID)
		}
	}
	of, err := s.members.MembersOf(ctx, wechat.OfficialAccount, openIDs)
	if err != nil {
		return out, err
	}
	var ids []int64
	for _, id := range of {
		ids = append(ids, id)
	}
	called, err := s.members.MaskedNames(ctx, ids)
	if err != nil {
		return out, err
	}
	for _, x := range rows {
		f := x.follower()
		v := FollowerView{ID: f.ID, State: f.State, Label: tail(f.OpenID), MemberID: of[f.OpenID], From: sceneLabel(f.FirstScene, names), Source: f.Source, Follows: f.Follows,
			FirstAt: f.FirstAt, LastAt: when(f.LastAt), LeftAt: when(f.LeftAt), GiftAt: when(f.GiftAt), HasUnion: f.UnionID != ""}
		v.Member = called[v.MemberID]
		out.Items = append(out.Items, v)
	}
	return out, nil
}

func (s *Service) arrivals(ctx context.Context, in *arrivalInput) (out httpapi.Page[ArrivalView], err error) {
	rows, err := readArrivals(ctx, s.db, in.State, in.Kind, in.After, in.Limit+1)
	if err != nil {
		return out, err
	}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		out.Next = strconv.FormatInt(rows[in.Limit-1].ID, 10)
	}
	names, err := s.keyNames(ctx)
	if err != nil {
		return out, err
	}
	for _, x := range rows {
		v := ArrivalView{ID: x.ID, App: x.App, Kind: x.Kind, State: x.State, Label: tail(x.OpenID), Key: sceneLabel(sceneOf(x.EventKey), names), Content: x.Content, Body: x.Body, At: clock.FromMillis(x.EventAt),
			GotAt: clock.FromMillis(x.CreatedAt)}
		if x.DoneAt != nil {
			v.DoneAt = when(clock.FromMillis(*x.DoneAt))
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// keyNames are the names of what an event's key may say: scenes and replies.
func (s *Service) keyNames(ctx context.Context) (map[string]string, error) {
	scenes, err := readScenes(ctx, s.db)
	if err != nil {
		return nil, err
	}
	all, err := readReplies(ctx, s.db)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, x := range scenes {
		names[x.Scene] = x.Name
	}
	for _, x := range all {
		names[keyPrefix+strconv.FormatInt(x.ID, 10)] = x.Name
	}
	return names, nil
}
