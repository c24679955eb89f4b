package wxsandbox

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (s *Sandbox) phoneRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /{$}", s.phonePage)
	m.HandleFunc("GET /assets/base.css", asset("base.css", "text/css; charset=utf-8"))
	m.HandleFunc("GET /assets/phone.css", asset("phone.css", "text/css; charset=utf-8"))
	m.HandleFunc("GET /assets/phone.js", asset("phone.js", "text/javascript; charset=utf-8"))
	m.HandleFunc("GET /assets/panel.js", asset("panel.js", "text/javascript; charset=utf-8"))
	m.HandleFunc("GET /assets/sheet.css", asset("sheet.css", "text/css; charset=utf-8"))
	m.HandleFunc("GET /assets/sheet.js", asset("sheet.js", "text/javascript; charset=utf-8"))
	m.HandleFunc("GET /assets/oauth.css", asset("oauth.css", "text/css; charset=utf-8"))
	m.HandleFunc("GET /assets/icons.svg", asset("icons.svg", "image/svg+xml"))
	m.HandleFunc("GET /avatar/{file}", s.avatarFile)
	m.HandleFunc("GET /phone/state", s.phoneState)
	m.HandleFunc("POST /phone/persona", control(s.choosePersona))
	m.HandleFunc("POST /phone/read", s.withPersona(func(p Persona, r *http.Request) (any, error) {
		var in struct {
			App string `json:"app"`
		}
		if err := decodeJSON(r, &in); err != nil {
			return nil, err
		}
		s.markRead(p.ID, in.App)
		return map[string]bool{"ok": true}, nil
	}))
	m.HandleFunc("GET /assets/chat.js", asset("chat.js", "text/javascript; charset=utf-8"))
	m.HandleFunc("GET /open/mp", s.openMiniProgram)
	m.HandleFunc("GET /open/oa", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.o.OfficialAccountURL, http.StatusFound)
	})
}

func (s *Sandbox) phonePage(w http.ResponseWriter, r *http.Request) {
	s.pages.render(s, w, http.StatusOK, "phone.html", map[string]any{"Name": s.o.Name, "Persona": s.current(r)})
}

// current is the persona of the phone's cookie, or nil.
func (s *Sandbox) current(r *http.Request) *Persona {
	c, err := r.Cookie(personaCookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.persona(c.Value)
	if p == nil {
		return nil
	}
	out := p.copy()
	return &out
}

// withPersona serves a call of the phone's current persona.
func (s *Sandbox) withPersona(f func(Persona, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.current(r)
		if p == nil {
			controlError(w, errors.New("请先选择人物"))
			return
		}
		out, err := f(*p, r)
		if err != nil {
			controlError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, out)
	}
}

func (s *Sandbox) choosePersona(_ *http.Request, in *codeIn) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.persona(in.PersonaID) == nil {
		return nil, ErrNoPersona
	}
	return cookieAnswer{id: in.PersonaID, OK: true}, nil
}

// cookieAnswer is an answer that also sets the persona cookie.
type cookieAnswer struct {
	id string
	OK bool `json:"ok"`
}

func (s *Sandbox) avatarFile(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSuffix(r.PathValue("file"), ".svg")
	s.mu.Lock()
	p := s.persona(id)
	svg := ""
	if p != nil {
		svg = p.avatar()
	}
	s.mu.Unlock()
	if svg == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write([]byte(svg))
}

func (s *Sandbox) markRead(personaID, app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.st.Messages {
		if m.PersonaID == personaID && m.App == app && !m.Read {
			m.Read = true
			s.touch()
		}
	}
}

// openMiniProgram leads to the H5 that stands for the mini-program, with a js_code made at this moment: a code in a
// link that waits on the page would be too old when it is tapped.
func (s *Sandbox) openMiniProgram(w http.ResponseWriter, r *http.Request) {
	p := s.current(r)
	if p == nil {
		http.Redirect(w, r, s.base+"/", http.StatusFound)
		return
	}
	u, err := url.Parse(s.o.MiniProgramURL)
	if err != nil || s.o.MiniProgramURL == "" {
		http.Error(w, "没有设置小程序地址", http.StatusNotFound)
		return
	}
	value, err := s.LoginCode(p.ID, AppMP)
	if err != nil {
		controlError(w, err)
		return
	}
	q := u.Query()
	q.Set("mp_code", value)
	q.Set("persona", p.ID)
	u.RawQuery = q.Encode()
	// A message's page becomes the hash route of the H5.
	if page := r.URL.Query().Get("page"); page != "" && s.pageOK(page) {
		path, query, _ := strings.Cut(page, "?")
		u.Fragment = "/" + path
		if query != "" {
			u.Fragment += "?" + query
		}
	}
	http.Redirect(w, r, u.String(), http.StatusFound)
}

func (s *Sandbox) pageOK(page string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.knownPage(page)
}

// phoneOrder is an order as the phone shows it.
type phoneOrder struct {
	OutTradeNo  string `json:"outTradeNo"`
	Description string `json:"description"`
	TradeType   string `json:"tradeType"`
	TotalFen    int64  `json:"totalFen"`
	PaidFen     int64  `json:"paidFen"`
	RefundedFen int64  `json:"refundedFen"`
	State       string `json:"state"`
	CodeURL     string `json:"codeUrl,omitempty"`
	Failure     string `json:"failure,omitempty"`
	At          string `json:"at"`
}

const phoneListMax = 50

// phoneState is polled once a second.
func (s *Sandbox) phoneState(w http.ResponseWriter, r *http.Request) {
	p := s.current(r)
	out := map[string]any{
		"name": s.o.Name, "persona": p, "personas": s.Personas(), "faults": s.Faults(), "faultKinds": faultKinds,
		"hasMiniProgram": s.o.MiniProgramURL != "", "hasOfficialAccount": s.o.OfficialAccountURL != "",
	}
	notes := s.Notifications()
	slices.Reverse(notes)
	if len(notes) > phoneListMax {
		notes = notes[:phoneListMax]
	}
	for i := range notes {
		notes[i].Plaintext = nil
		if a := notes[i].Attempts; len(a) > 20 {
			notes[i].Attempts = a[len(a)-20:]
		}
	}
	out["notifications"] = notes
	if p != nil {
		msgs := s.Inbox(p.ID)
		if len(msgs) > phoneListMax {
			msgs = msgs[len(msgs)-phoneListMax:]
		}
		out["messages"] = msgs
		out["texts"] = s.phoneTexts(*p)
		out["pending"], out["codes"], out["history"] = s.phoneOrders(*p)
		out["grants"] = s.Grants(p.ID)
		s.chatState(p.ID, out)
	}
	writeJSON(w, http.StatusOK, out)
}

// phoneOrders gives the persona's own unpaid orders, the codes anybody could scan, and what the persona has paid.
func (s *Sandbox) phoneOrders(p Persona) (pending, codes, history []phoneOrder) {
	pending, codes, history = []phoneOrder{}, []phoneOrder{}, []phoneOrder{}
	refunded := map[string]int64{}
	s.mu.Lock()
	for _, f := range s.st.Refunds {
		if f.Status == RefundSuccess || f.Status == RefundProcessing {
			refunded[f.OutTradeNo] += f.RefundFen
		}
	}
	s.mu.Unlock()
	now := s.o.Now()
	for _, o := range s.Orders() {
		v := phoneOrder{OutTradeNo: o.OutTradeNo, Description: o.Description, TradeType: o.TradeType, TotalFen: o.TotalFen, PaidFen: o.PaidFen,
			RefundedFen: refunded[o.OutTradeNo], State: o.State, CodeURL: o.CodeURL, Failure: o.LastFailure, At: o.CreatedAt.Format(time.RFC3339)}
		switch {
		case o.State == StateNotPay:
			if now.Sub(o.PrepayAt) >= prepayLife {
				continue
			}
			if o.TradeType == "NATIVE" {
				codes = append(codes, v)
			} else if o.PayerOpenID == p.OpenIDs[AppMP] || o.PayerOpenID == p.OpenIDs[AppOA] {
				pending = append(pending, v)
			}
		case o.PaidBy == p.ID:
			v.At = o.PaidAt.Format(time.RFC3339)
			history = append(history, v)
		}
	}
	return head(pending), head(codes), head(history)
}

func head(l []phoneOrder) []phoneOrder {
	if len(l) > phoneListMax {
		return l[:phoneListMax]
	}
	return l
}
