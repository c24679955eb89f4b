package wxsandbox

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// payTicket lets one opened pay sheet act on one order. It is given out only after paySign was verified, or to the
// phone's own page.
type payTicket struct {
	outTradeNo string
	expires    time.Time
}

const ticketLife = 30 * time.Minute

func (s *Sandbox) bridgeRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /bridge.js", asset("bridge.js", "text/javascript; charset=utf-8"))
	m.HandleFunc("GET /bridge.css", asset("bridge.css", "text/css; charset=utf-8"))
	m.HandleFunc("GET /pay", s.paySheet)
	m.HandleFunc("GET /sheet/subscribe", s.subscribeSheet)
	m.HandleFunc("GET /sheet/phone", s.sheet("phone", nil))
	m.HandleFunc("GET /sheet/privacy", s.sheet("privacy", nil))
	m.HandleFunc("GET /sheet/scan", s.sheet("scan", nil))
	m.HandleFunc("POST /sheet/pay", s.sheetPay)
	m.HandleFunc("POST /sheet/subscribe", s.withPersona(s.sheetSubscribe))
	m.HandleFunc("POST /sheet/phone", s.withPersona(func(p Persona, r *http.Request) (any, error) {
		if err := decodeJSON(r, &struct{}{}); err != nil {
			return nil, err
		}
		return codeOut(s.PhoneCode(p.ID))
	}))
	login := s.cors(s.withPersona(func(p Persona, r *http.Request) (any, error) {
		if err := decodeJSON(r, &struct{}{}); err != nil {
			return nil, err
		}
		return codeOut(s.LoginCode(p.ID, AppMP))
	}))
	m.HandleFunc("POST /sheet/login", login)
	m.HandleFunc("OPTIONS /sheet/login", login)
}

// cors lets the pages named in Options.FrameAncestors call across origins, with the persona cookie.
func (s *Sandbox) cors(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); slices.Contains(s.o.FrameAncestors, origin) {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Allow-Headers", "Content-Type")
			h.Add("Vary", "Origin")
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next(w, r)
	}
}

// sheet renders one overlay page. The page learns from data attributes which origins it may answer to.
func (s *Sandbox) sheet(kind string, extra func(r *http.Request, data map[string]any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data := map[string]any{"Kind": kind, "Name": s.o.Name, "Persona": s.current(r), "Personas": s.Personas(),
			"Allowed": strings.Join(s.o.FrameAncestors, " "), "Ticket": "", "Problem": ""}
		if extra != nil {
			extra(r, data)
		}
		s.pages.render(s, w, http.StatusOK, "sheet.html", data)
	}
}

var payStampForm = regexp.MustCompile(`^[0-9]{10}$`)

// checkPaySign verifies what a page hands to getBrandWCPayRequest: the merchant's signature over the four lines, and
// that appId and prepay_id belong together. The texts are the ones WeChat shows.
func (s *Sandbox) checkPaySign(q url.Values) (*Order, string) {
	id, ok := strings.CutPrefix(q.Get("package"), "prepay_id=")
	if !ok || id == "" {
		return nil, "缺少参数 package"
	}
	if q.Get("signType") != "RSA" {
		return nil, "签名方式错误，应为 RSA"
	}
	if !payStampForm.MatchString(q.Get("timeStamp")) || q.Get("nonceStr") == "" || len(q.Get("nonceStr")) > 32 {
		return nil, "缺少参数 timeStamp 或 nonceStr"
	}
	sig, err := base64.StdEncoding.DecodeString(q.Get("paySign"))
	if err != nil || !verifyRSA(s.merchantKey, fmt.Sprintf("%s\n%s\n%s\n%s\n", q.Get("appId"), q.Get("timeStamp"), q.Get("nonceStr"), q.Get("package")), sig) {
		return nil, "支付验证签名失败"
	}
	o := s.byPrepay[id]
	if o == nil {
		return nil, "prepay_id 不存在或已过期"
	}
	if o.AppID != q.Get("appId") {
		return nil, "appId 与下单时不一致"
	}
	return o, ""
}

func (s *Sandbox) paySheet(w http.ResponseWriter, r *http.Request) {
	s.sheet("pay", func(r *http.Request, data map[string]any) {
		q := r.URL.Query()
		p := s.current(r)
		s.mu.Lock()
		defer s.mu.Unlock()
		var o *Order
		problem := ""
		if q.Has("package") || q.Has("paySign") {
			o, problem = s.checkPaySign(q)
		} else {
			// Opened from the phone itself: a scanned code or one of its pending orders.
			o = s.findOrder(PayRequest{CodeURL: q.Get("code_url"), OutTradeNo: q.Get("out_trade_no")})
		}
		if o == nil && problem == "" {
			problem = ErrOrderUnknown.Message
		}
		if o != nil && p != nil {
			var refused *PayError
			if err := s.payable(o, s.persona(p.ID), false); errors.As(err, &refused) {
				problem = refused.Message
			}
			data["Expired"] = problem == ErrOrderExpired.Message
		}
		data["Problem"] = problem
		if o != nil {
			data["Order"] = *o
		}
		if o != nil && (problem == "" || data["Expired"] == true) {
			data["Ticket"] = s.newTicket(o)
		}
	})(w, r)
}

func (s *Sandbox) newTicket(o *Order) string {
	now := s.o.RealNow()
	for k, t := range s.tickets {
		if now.After(t.expires) {
			delete(s.tickets, k)
		}
	}
	id := randomHex(16)
	s.tickets[id] = payTicket{outTradeNo: o.OutTradeNo, expires: now.Add(ticketLife)}
	return id
}

var passwordForm = regexp.MustCompile(`^[0-9]{6}$`)

// sheetPay acts on the order of a ticket, as the phone's persona.
func (s *Sandbox) sheetPay(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Ticket   string `json:"ticket"`
		Outcome  string `json:"outcome"`
		Password string `json:"password"`
		DelayMs  int64  `json:"delayMs"`
		Force    bool   `json:"force"`
	}
	p := s.current(r)
	err := decodeJSON(r, &in)
	if err == nil && p == nil {
		err = errors.New("请先选择人物")
	}
	s.mu.Lock()
	t, ok := s.tickets[in.Ticket]
	s.mu.Unlock()
	if err == nil && (!ok || s.o.RealNow().After(t.expires)) {
		err = errors.New("支付页已过期，请重新发起支付")
	}
	if err == nil && in.Outcome == OutcomePay {
		// Any six digits are right, except the ones kept for practising a mistake.
		if !passwordForm.MatchString(in.Password) {
			err = errors.New("请输入 6 位数字密码")
		} else if in.Password == wrongPassword {
			in.Outcome = OutcomeWrongPassword
		}
	}
	if err != nil {
		controlError(w, err)
		return
	}
	s.writePay(w, PayRequest{OutTradeNo: t.outTradeNo, PersonaID: p.ID, Outcome: in.Outcome, DelayMs: in.DelayMs, Force: in.Force})
}

func (s *Sandbox) subscribeSheet(w http.ResponseWriter, r *http.Request) {
	s.sheet("subscribe", func(r *http.Request, data map[string]any) {
		var list []Template
		for _, id := range strings.Split(r.URL.Query().Get("tmpl"), ",") {
			if t, ok := s.tpl[id]; ok {
				list = append(list, t)
			}
		}
		if len(list) == 0 || len(list) > 3 {
			data["Problem"] = "没有可订阅的消息模板（一次最多 3 个）"
		}
		data["Templates"] = list
	})(w, r)
}

// sheetSubscribe records the accepts of one dialog: each accepted template may send one message more.
func (s *Sandbox) sheetSubscribe(p Persona, r *http.Request) (any, error) {
	var in struct {
		Templates []string `json:"templates"`
		Accepted  []string `json:"accepted"`
	}
	if err := decodeJSON(r, &in); err != nil {
		return nil, err
	}
	if len(in.Templates) == 0 || len(in.Templates) > 3 {
		return nil, errors.New("一次最多订阅 3 个模板")
	}
	out := map[string]string{}
	for _, id := range in.Templates {
		out[id] = "reject"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range in.Accepted {
		if out[id] != "reject" { // not asked for, or named twice
			continue
		}
		if err := s.grantLocked(p.ID, id, 1); err != nil {
			return nil, err
		}
		out[id] = "accept"
	}
	return out, nil
}
