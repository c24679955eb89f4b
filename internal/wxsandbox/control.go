package wxsandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// controlDoc is what GET /control answers; the package documentation holds the same list.
var controlDoc = []map[string]string{
	{"call": "GET /control/state", "about": "personas, orders, refunds, messages, notifications, faults"},
	{"call": "POST /control/faults", "body": `{"target":"pay.notify","kind":"delay","path":"","count":1,"delayMs":500,"value":""}`, "about": "injects a fault; count 0 lasts until cleared"},
	{"call": "DELETE /control/faults?id=", "about": "clears one fault, or all without id"},
	{"call": "POST /control/pay", "body": `{"prepayId|codeUrl|outTradeNo":"","personaId":"p1","outcome":"pay|cancel|wrong_password|pay_late|pay_lose_notification","amountFen":0,"delayMs":0,"force":false}`, "about": "does what a person can do on the pay sheet"},
	{"call": "POST /control/personas", "body": `{"nickname":"","phone":"","role":"","unionId":"- for none","snapshot":false,"follows":true}`, "about": "adds a persona; with a known id and follows, changes following"},
	{"call": "POST /control/login-code", "body": `{"personaId":"p1","app":"mp"}`, "about": "a fresh js_code"},
	{"call": "POST /control/oauth-code", "body": `{"personaId":"p1","scope":"snsapi_base"}`, "about": "a fresh OAuth code"},
	{"call": "POST /control/phone-code", "body": `{"personaId":"p1"}`, "about": "a fresh phone number code"},
	{"call": "POST /control/grants", "body": `{"personaId":"p1","templateId":"","count":1}`, "about": "records accepts of a subscribe template"},
	{"call": "POST /control/notify/{outTradeNo}/resend", "about": "sends the order's notifications again"},
	{"call": "POST /control/signtest", "body": `{"url":""}`, "about": "sends a probe whose signature must be refused"},
	{"call": "POST /control/push", "body": `{"app":"oa","personaId":"p1","event":"user_authorization_cancellation","fields":{},"mode":""}`, "about": "pushes an event to the shop's callback"},
	{"call": "POST /control/scan", "body": `{"personaId":"p1","scene":"s1"}`, "about": "scans a code of the official account, which follows it"},
	{"call": "POST /control/text", "body": `{"personaId":"p1","text":""}`, "about": "writes to the official account"},
	{"call": "POST /control/reset", "about": "forgets everything except the seeded personas"},
}

func (s *Sandbox) controlRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /control", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"calls": controlDoc, "faults": faultKinds})
	})
	m.HandleFunc("GET /control/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Snapshot()) })
	m.HandleFunc("POST /control/faults", control(func(_ *http.Request, in *Fault) (any, error) { return s.SetFault(*in) }))
	m.HandleFunc("DELETE /control/faults", s.deleteFaults)
	m.HandleFunc("POST /control/pay", s.controlPay)
	m.HandleFunc("POST /control/personas", control(s.controlPersona))
	m.HandleFunc("POST /control/login-code", control(func(_ *http.Request, in *codeIn) (any, error) {
		return codeOut(s.LoginCode(in.PersonaID, in.App))
	}))
	m.HandleFunc("POST /control/oauth-code", control(func(_ *http.Request, in *codeIn) (any, error) {
		return codeOut(s.OAuthCode(in.PersonaID, in.Scope))
	}))
	m.HandleFunc("POST /control/phone-code", control(func(_ *http.Request, in *codeIn) (any, error) {
		return codeOut(s.PhoneCode(in.PersonaID))
	}))
	m.HandleFunc("POST /control/grants", control(func(_ *http.Request, in *grantIn) (any, error) {
		if in.Count == 0 {
			in.Count = 1
		}
		if err := s.Grant(in.PersonaID, in.TemplateID, in.Count); err != nil {
			return nil, err
		}
		return s.Grants(in.PersonaID), nil
	}))
	m.HandleFunc("POST /control/notify/{no}/resend", control(func(r *http.Request, _ *struct{}) (any, error) {
		n, err := s.Resend(r.PathValue("no"))
		return map[string]int{"sent": n}, err
	}))
	m.HandleFunc("POST /control/signtest", control(func(_ *http.Request, in *struct {
		URL string `json:"url"`
	}) (any, error) {
		status, err := s.SignTest(in.URL)
		return map[string]int{"status": status}, err
	}))
	m.HandleFunc("POST /control/reset", control(func(*http.Request, *struct{}) (any, error) {
		s.Reset()
		return map[string]bool{"ok": true}, nil
	}))
}

type codeIn struct {
	PersonaID string `json:"personaId"`
	App       string `json:"app"`
	Scope     string `json:"scope"`
}

type grantIn struct {
	PersonaID  string `json:"personaId"`
	TemplateID string `json:"templateId"`
	Count      int    `json:"count"`
}

func codeOut(code string, err error) (any, error) { return map[string]string{"code": code}, err }

// decodeJSON reads a JSON body into v; an empty body is {}. The content type is required because a foreign page can
// post a form, but not JSON, without asking first.
func decodeJSON(r *http.Request, v any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return errors.New("wxsandbox: send Content-Type: application/json")
	}
	b := readBody(r)
	if len(b) == 0 {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("wxsandbox: body: %w", err)
	}
	return nil
}

// control serves one call of the control API: errors are 400 with their text, an unknown persona is 404.
func control[T any](f func(*http.Request, *T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		err := decodeJSON(r, &in)
		var out any
		if err == nil {
			out, err = f(r, &in)
		}
		if err != nil {
			controlError(w, err)
			return
		}
		if c, ok := out.(cookieAnswer); ok {
			setPersonaCookie(w, c.id)
		}
		writeJSON(w, http.StatusOK, out)
	}
}

func controlError(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, ErrNoPersona) {
		status = http.StatusNotFound
	}
	writeJSON(w, status, map[string]string{"error": strings.TrimPrefix(err.Error(), "wxsandbox: ")})
}

func (s *Sandbox) deleteFaults(w http.ResponseWriter, r *http.Request) {
	if raw := r.URL.Query().Get("id"); raw != "" {
		id, err := strconv.Atoi(raw)
		if err != nil {
			controlError(w, errors.New("id is not a number"))
			return
		}
		s.ClearFaults(id)
	} else {
		s.ClearFaults()
	}
	writeJSON(w, http.StatusOK, map[string]any{"faults": s.Faults()})
}

func (s *Sandbox) controlPersona(_ *http.Request, in *struct {
	Persona
	Follows *bool `json:"follows"`
}) (any, error) {
	s.mu.Lock()
	known := in.ID != "" && s.persona(in.ID) != nil
	s.mu.Unlock()
	if known {
		if in.Follows == nil {
			return nil, errors.New("wxsandbox: only follows can be changed")
		}
		return map[string]bool{"ok": true}, s.SetFollows(in.ID, *in.Follows)
	}
	in.Persona.Follows = in.Follows == nil || *in.Follows
	return s.AddPersona(in.Persona)
}

// payOut is the answer to a payment on the phone or by the control API.
type payOut struct {
	OK      bool   `json:"ok"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Order   *Order `json:"order,omitempty"`
}

func (s *Sandbox) controlPay(w http.ResponseWriter, r *http.Request) {
	var in PayRequest
	if err := decodeJSON(r, &in); err != nil {
		controlError(w, err)
		return
	}
	s.writePay(w, in)
}

// writePay pays and answers: 200 for what a person chose, 409 for what the order does not allow.
func (s *Sandbox) writePay(w http.ResponseWriter, in PayRequest) {
	o, err := s.Pay(in)
	var refused *PayError
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, payOut{OK: true, Order: &o})
	case errors.Is(err, ErrUserCancel) || errors.Is(err, ErrWrongPassword):
		errors.As(err, &refused)
		writeJSON(w, http.StatusOK, payOut{Code: refused.Code, Message: refused.Message})
	case errors.As(err, &refused):
		writeJSON(w, http.StatusConflict, payOut{Code: refused.Code, Message: refused.Message})
	default:
		controlError(w, err)
	}
}

// Snapshot is the state that GET /control/state shows. Lists are newest first where they can be long.
type Snapshot struct {
	Personas      []Persona      `json:"personas"`
	Orders        []Order        `json:"orders"`
	Refunds       []Refund       `json:"refunds"`
	Messages      []Message      `json:"messages"`
	Texts         []TextMessage  `json:"texts"`
	Notifications []Notification `json:"notifications"`
	Faults        []Fault        `json:"faults"`
	Grants        map[string]int `json:"grants"`
	Templates     []Template     `json:"templates"`
}

// Snapshot copies the visible state. Secrets, codes and tokens are not part of it.
func (s *Sandbox) Snapshot() Snapshot {
	out := Snapshot{Personas: s.Personas(), Orders: s.Orders(), Notifications: s.Notifications(), Faults: s.Faults(),
		Texts: s.Texts(""), Refunds: []Refund{}, Messages: []Message{}, Grants: map[string]int{}, Templates: s.o.Templates}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.st.Refunds {
		out.Refunds = append(out.Refunds, *f)
	}
	for _, m := range s.st.Messages {
		out.Messages = append(out.Messages, *m)
	}
	for k, n := range s.st.Grants {
		out.Grants[k] = n
	}
	return out
}
