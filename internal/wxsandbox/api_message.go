package wxsandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// messageIn is the common part of the three send APIs; value may be a string or a number.
type messageIn struct {
	ToUser      string `json:"touser"`
	TemplateID  string `json:"template_id"`
	Page        string `json:"page"`
	URL         string `json:"url"`
	ClientMsgID string `json:"client_msg_id"`
	Data        map[string]struct {
		Value any `json:"value"`
	} `json:"data"`
	MiniProgram struct {
		AppID    string `json:"appid"`
		PagePath string `json:"pagepath"`
	} `json:"miniprogram"`
	State string `json:"miniprogram_state"`
	Lang  string `json:"lang"`
}

func (in *messageIn) values() map[string]string {
	out := map[string]string{}
	for k, v := range in.Data {
		switch x := v.Value.(type) {
		case string:
			out[k] = x
		case json.Number:
			out[k] = x.String()
		}
	}
	return out
}

// openMessage does what the three APIs share: method, form, openid, template and field rules.
func (s *Sandbox) openMessage(r *http.Request, app string, body []byte) (*messageIn, *Persona, Template, map[string]any) {
	var in messageIn
	none := Template{}
	if r.Method != http.MethodPost {
		return nil, nil, none, apiErr(43002, "")
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if d.Decode(&in) != nil {
		return nil, nil, none, apiErr(47001, "")
	}
	// An openid of the other app is as unknown here as a made-up one.
	p := s.personaByOpenID(app, in.ToUser)
	if p == nil {
		return nil, nil, none, apiErr(40003, "")
	}
	t, ok := s.tpl[in.TemplateID]
	if !ok || t.App != app {
		return nil, nil, none, apiErr(40037, "")
	}
	if msg := checkFields(t, in.values()); msg != "" {
		return nil, nil, none, apiErr(47003, msg)
	}
	return &in, p, t, nil
}

func (s *Sandbox) subscribeSend(r *http.Request, app string, body []byte) any {
	in, p, t, e := s.openMessage(r, app, body)
	if e != nil {
		return e
	}
	if !s.knownPage(in.Page) {
		return apiErr(41030, "")
	}
	if !slices.Contains([]string{"", "developer", "trial", "formal"}, in.State) {
		return apiErr(47003, "argument invalid! miniprogram_state invalid")
	}
	if !slices.Contains([]string{"", "zh_CN", "en_US", "zh_HK", "zh_TW"}, in.Lang) {
		return apiErr(47003, "argument invalid! lang invalid")
	}
	if !s.spendGrant(p.ID, t.ID) {
		return apiErr(43101, "")
	}
	m := s.deliver(p, app, "subscribe", t, in)
	m.Page = in.Page
	return apiOK("msgid", m.ID)
}

func (s *Sandbox) bizSend(r *http.Request, app string, body []byte) any {
	in, p, t, e := s.openMessage(r, app, body)
	if e != nil {
		return e
	}
	if e := s.checkJump(in.Page, in); e != nil {
		return e
	}
	if !s.spendGrant(p.ID, t.ID) {
		return apiErr(43101, "")
	}
	m := s.deliver(p, app, "bizsend", t, in)
	m.URL, m.Page = in.Page, in.MiniProgram.PagePath
	return apiOK()
}

func (s *Sandbox) templateSend(r *http.Request, app string, body []byte) any {
	in, p, t, e := s.openMessage(r, app, body)
	if e != nil {
		return e
	}
	if e := s.checkJump(in.URL, in); e != nil {
		return e
	}
	if !p.Follows {
		return apiErr(43004, "")
	}
	// A repeated client_msg_id within ten minutes is the same message: it is not delivered twice.
	if in.ClientMsgID != "" {
		if len(in.ClientMsgID) > 32 {
			return apiErr(47003, "argument invalid! client_msg_id invalid")
		}
		if id, ok := s.st.ClientMsgIDs[in.ClientMsgID]; ok {
			if m := s.message(id); m != nil && s.o.Now().Sub(m.At) < 10*time.Minute {
				return apiOK("msgid", id)
			}
		}
	}
	m := s.deliver(p, app, "template", t, in)
	m.URL, m.Page = in.URL, in.MiniProgram.PagePath
	if in.ClientMsgID != "" {
		s.st.ClientMsgIDs[in.ClientMsgID] = m.ID
	}
	s.pushLocked(AppOA, p, "event", map[string]string{"Event": "TEMPLATESENDJOBFINISH", "MsgID": strconv.FormatInt(m.ID, 10), "Status": "success"})
	return apiOK("msgid", m.ID)
}

// checkJump checks where a message of the official account leads.
func (s *Sandbox) checkJump(link string, in *messageIn) map[string]any {
	if link != "" {
		if u, err := url.Parse(link); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return apiErr(40066, "")
		}
	}
	if in.MiniProgram.AppID != "" {
		if in.MiniProgram.AppID != s.o.MiniProgram.AppID {
			return apiErr(40013, "")
		}
		if !s.knownPage(in.MiniProgram.PagePath) {
			return apiErr(41030, "")
		}
	}
	return nil
}

var pageForm = regexp.MustCompile(`^[A-Za-z0-9_\-]+(/[A-Za-z0-9_\-]+)*$`)

// knownPage checks a mini-program page without a leading slash; a query may follow. No page is fine.
func (s *Sandbox) knownPage(page string) bool {
	if page == "" {
		return true
	}
	path, _, _ := strings.Cut(page, "?")
	return len(page) <= 1024 && pageForm.MatchString(path) && (len(s.o.Pages) == 0 || slices.Contains(s.o.Pages, path))
}

// deliver puts a message into the persona's inbox. The caller holds mu.
func (s *Sandbox) deliver(p *Persona, app, kind string, t Template, in *messageIn) *Message {
	m := &Message{ID: 3_000_000_000_000_000 + s.next(), PersonaID: p.ID, App: app, Kind: kind, TemplateID: t.ID, Title: t.Title, At: s.o.Now()}
	v := in.values()
	for _, f := range t.Fields {
		m.Fields = append(m.Fields, MessageField{Key: f.Key, Label: f.Label, Value: v[f.Key]})
	}
	s.st.Messages = append(s.st.Messages, m)
	s.touch()
	return m
}

func (s *Sandbox) message(id int64) *Message {
	for _, m := range s.st.Messages {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func grantKey(personaID, templateID string) string { return personaID + "|" + templateID }

func (s *Sandbox) spendGrant(personaID, templateID string) bool {
	k := grantKey(personaID, templateID)
	if s.st.Grants[k] <= 0 {
		return false
	}
	if s.st.Grants[k]--; s.st.Grants[k] == 0 {
		delete(s.st.Grants, k)
	}
	s.touch()
	return true
}

// Grant records n accepts of a template by a persona: n more messages may be sent. A negative n takes them away.
func (s *Sandbox) Grant(personaID, templateID string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grantLocked(personaID, templateID, n)
}

func (s *Sandbox) grantLocked(personaID, templateID string, n int) error {
	if s.persona(personaID) == nil {
		return ErrNoPersona
	}
	if _, ok := s.tpl[templateID]; !ok {
		return fmt.Errorf("wxsandbox: no template %q", templateID)
	}
	if n < -10000 || n > 10000 {
		return errors.New("wxsandbox: unreasonable number of grants")
	}
	k := grantKey(personaID, templateID)
	if s.st.Grants[k] += n; s.st.Grants[k] <= 0 {
		delete(s.st.Grants, k)
	}
	s.touch()
	return nil
}

// Grants tells how many messages of each template may still be sent to a persona.
func (s *Sandbox) Grants(personaID string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for id := range s.tpl {
		if n := s.st.Grants[grantKey(personaID, id)]; n > 0 {
			out[id] = n
		}
	}
	return out
}

// Inbox lists the messages of a persona, by persona id or by an openid of either app, newest last.
func (s *Sandbox) Inbox(who string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Message{}
	for _, app := range []string{AppMP, AppOA} {
		if p := s.personaByOpenID(app, who); p != nil {
			who = p.ID
		}
	}
	for _, m := range s.st.Messages {
		if m.PersonaID == who {
			c := *m
			c.Fields = slices.Clone(m.Fields)
			out = append(out, c)
		}
	}
	return out
}
