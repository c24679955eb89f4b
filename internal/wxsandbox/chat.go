package wxsandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ChatEntry is one line of the chat with the official account.
type ChatEntry struct {
	ID        int64         `json:"id"`
	PersonaID string        `json:"personaId"`
	Side      string        `json:"side"` // me, oa, note
	Kind      string        `json:"kind"` // text, news
	Text      string        `json:"text,omitempty"`
	Articles  []ChatArticle `json:"articles,omitempty"`
	At        time.Time     `json:"at"`
}

// ChatArticle is one entry of a picture-and-text message.
type ChatArticle struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Picture     string `json:"picture"`
	URL         string `json:"url"`
}

func (s *Sandbox) chatLocked(personaID string, e ChatEntry) {
	e.ID, e.PersonaID, e.At = s.next(), personaID, s.o.Now()
	s.st.Chat = append(s.st.Chat, &e)
	s.touch()
}

// Chat lists what a persona and the official account wrote to each other, oldest first.
func (s *Sandbox) Chat(personaID string) []ChatEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []ChatEntry{}
	for _, e := range s.st.Chat {
		if e.PersonaID == personaID {
			out = append(out, *e)
		}
	}
	return out
}

// Pushes lists what was pushed, oldest first.
func (s *Sandbox) Pushes() []PushRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]PushRecord, 0, len(s.st.Pushes))
	for _, n := range s.st.Pushes {
		c := *n
		c.Attempts = slices.Clone(n.Attempts)
		out = append(out, c)
	}
	return out
}

// PushPlain chooses whether pushes are plain or encrypted.
func (s *Sandbox) PushPlain(plain bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.PlainPush = plain
	s.touch()
}

// followLocked changes whether a persona follows and tells the shop. A scene says by which code. The caller holds mu.
func (s *Sandbox) followLocked(p *Persona, follows bool, scene string) {
	was := p.Follows
	p.Follows = follows
	s.touch()
	switch {
	case follows && !was:
		f := map[string]string{"Event": "subscribe", "EventKey": ""}
		if scene != "" {
			f["EventKey"], f["Ticket"] = "qrscene_"+scene, markerSum(scene)
		}
		s.chatLocked(p.ID, ChatEntry{Side: "note", Kind: "text", Text: "你已关注公众号"})
		s.pushLocked(AppOA, p, "event", f)
	case follows && scene != "":
		s.pushLocked(AppOA, p, "event", map[string]string{"Event": "SCAN", "EventKey": scene, "Ticket": markerSum(scene)})
	case !follows && was:
		s.chatLocked(p.ID, ChatEntry{Side: "note", Kind: "text", Text: "你已取消关注"})
		s.pushLocked(AppOA, p, "event", map[string]string{"Event": "unsubscribe", "EventKey": ""})
	}
}

// Scan scans a code of the official account: who does not follow yet follows by it.
func (s *Sandbox) Scan(personaID, scene string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.persona(personaID)
	if p == nil {
		return ErrNoPersona
	}
	if known, ok := s.st.Scenes[scene]; ok { // what the picture says
		scene = known
	}
	if scene == "" || len(scene) > 64 {
		return errors.New("wxsandbox: a scene has 1 to 64 characters")
	}
	s.followLocked(p, true, scene)
	return nil
}

// Text writes to the official account; only followers can.
func (s *Sandbox) Text(personaID, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.persona(personaID)
	switch {
	case p == nil:
		return ErrNoPersona
	case !p.Follows:
		return errors.New("请先关注公众号")
	case strings.TrimSpace(text) == "" || len(text) > 2048 || !utf8.ValidString(text):
		return errors.New("请填写 1 至 600 个字")
	}
	s.chatLocked(p.ID, ChatEntry{Side: "me", Kind: "text", Text: text})
	s.pushLocked(AppOA, p, "text", map[string]string{"Content": text})
	return nil
}

// PushEvent pushes any event of a persona to the callback of an app.
func (s *Sandbox) PushEvent(app, personaID, event string, fields map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.persona(personaID)
	if p == nil {
		return ErrNoPersona
	}
	if event == "" || len(event) > 64 || app != AppMP && app != AppOA {
		return errors.New("wxsandbox: an event and an app (mp, oa) are needed")
	}
	f := map[string]string{"Event": event}
	if strings.HasPrefix(event, "user_authorization_") {
		f["OpenID"], f["AppID"] = p.OpenIDs[app], s.appID(app)
	}
	for k, v := range fields {
		if !pageForm.MatchString(k) {
			return errors.New("wxsandbox: a field's name has letters and digits")
		}
		f[k] = v
	}
	if s.pushLocked(app, p, "event", f) == nil {
		return errors.New("wxsandbox: this app has no callback")
	}
	return nil
}

// Tap presses a button of the menu, by its position; sub is -1 for one at the bottom. It returns where a phone goes.
func (s *Sandbox) Tap(personaID string, at, sub int) (to menuIn, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.persona(personaID)
	if p == nil {
		return to, ErrNoPersona
	}
	list := s.menuLocked()
	if at < 0 || at >= len(list) || sub >= len(list[at].Sub) {
		return to, errors.New("没有这个菜单按钮")
	}
	if to = list[at]; sub >= 0 {
		to = to.Sub[sub]
	}
	switch to.Type {
	case "click":
		s.pushLocked(AppOA, p, "event", map[string]string{"Event": "CLICK", "EventKey": to.Key})
	case "view":
		s.pushLocked(AppOA, p, "event", map[string]string{"Event": "VIEW", "EventKey": to.URL, "MenuId": "4260000"})
	case "miniprogram":
		s.pushLocked(AppOA, p, "event", map[string]string{"Event": "view_miniprogram", "EventKey": to.PagePath, "MenuId": "4260000"})
	}
	return to, nil
}

func (s *Sandbox) menuLocked() (list []menuIn) {
	if len(s.st.Menu) > 0 {
		_ = json.Unmarshal(s.st.Menu, &list) // our own text
	}
	return list
}

// chatState adds what the phone's chat shows.
func (s *Sandbox) chatState(personaID string, out map[string]any) {
	chat := s.Chat(personaID)
	if len(chat) > phoneListMax {
		chat = chat[len(chat)-phoneListMax:]
	}
	pushes := s.Pushes()
	slices.Reverse(pushes)
	if len(pushes) > phoneListMax {
		pushes = pushes[:phoneListMax]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	menu := s.menuLocked()
	if menu == nil {
		menu = []menuIn{}
	}
	scenes := []string{}
	for _, x := range s.st.Scenes {
		scenes = append(scenes, x)
	}
	slices.Sort(scenes)
	out["chat"], out["menu"], out["pushes"], out["plainPush"], out["pushes_on"], out["scenes"] = chat, menu, pushes, s.st.PlainPush, s.o.OfficialAccount.CallbackURL != "", scenes
}

func (s *Sandbox) chatRoutes(m *http.ServeMux) {
	ok := map[string]bool{"ok": true}
	m.HandleFunc("POST /control/push", control(func(_ *http.Request, in *struct {
		App       string            `json:"app"`
		PersonaID string            `json:"personaId"`
		Event     string            `json:"event"`
		Fields    map[string]string `json:"fields"`
		Mode      string            `json:"mode"`
	}) (any, error) {
		if in.Mode != "" {
			s.PushPlain(in.Mode == "plain")
		}
		if in.Event == "" {
			return ok, nil
		}
		return ok, s.PushEvent(in.App, in.PersonaID, in.Event, in.Fields)
	}))
	m.HandleFunc("POST /control/scan", control(func(_ *http.Request, in *struct {
		PersonaID string `json:"personaId"`
		Scene     string `json:"scene"`
	}) (any, error) {
		return ok, s.Scan(in.PersonaID, in.Scene)
	}))
	m.HandleFunc("POST /control/text", control(func(_ *http.Request, in *struct {
		PersonaID string `json:"personaId"`
		Text      string `json:"text"`
	}) (any, error) {
		return ok, s.Text(in.PersonaID, in.Text)
	}))
	m.HandleFunc("POST /phone/tap", s.withPersona(func(p Persona, r *http.Request) (any, error) {
		var in struct{ At, Sub int }
		if err := decodeJSON(r, &in); err != nil {
			return nil, err
		}
		to, err := s.Tap(p.ID, in.At, in.Sub)
		return to, err
	}))
	verify := s.cors(func(w http.ResponseWriter, r *http.Request) { // WeChat verifies the page, whoever looks at it
		out, err := s.checkJSConfig(r)
		if err != nil {
			controlError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, out)
	})
	m.HandleFunc("POST /bridge/config", verify)
	m.HandleFunc("OPTIONS /bridge/config", verify)
}

// checkJSConfig verifies what a page hands to wx.config, with WeChat's own texts.
func (s *Sandbox) checkJSConfig(r *http.Request) (map[string]string, error) {
	var in struct {
		AppID     string      `json:"appId"`
		Timestamp json.Number `json:"timestamp"`
		Nonce     string      `json:"nonceStr"`
		Signature string      `json:"signature"`
		URL       string      `json:"url"`
	}
	if err := decodeJSON(r, &in); err != nil {
		return nil, err
	}
	page, _, _ := strings.Cut(in.URL, "#")
	u, err := url.Parse(page)
	switch {
	case in.AppID != s.o.OfficialAccount.AppID:
		return map[string]string{"errMsg": "config:invalid appid"}, nil
	case err != nil || !slices.Contains(s.o.OAuthHosts, u.Host):
		return map[string]string{"errMsg": "config:invalid url domain"}, nil
	}
	s.mu.Lock()
	now := s.jsTicket(s.o.Now())
	before := s.jsTicket(s.o.Now().Add(-2 * time.Hour)) // one that the shop fetched shortly before it changed
	s.mu.Unlock()
	for _, t := range []string{now, before} {
		if in.Signature == sha1Hex("jsapi_ticket="+t+"&noncestr="+in.Nonce+"&timestamp="+in.Timestamp.String()+"&url="+page) {
			return map[string]string{"errMsg": "config:ok"}, nil
		}
	}
	return map[string]string{"errMsg": "config:invalid signature"}, nil
}
