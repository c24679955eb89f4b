package wxsandbox

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The shop has five seconds to answer a push; it comes three times at most.
const (
	pushTimeout = 5 * time.Second
	pushTries   = 3
	pushGap     = time.Second
)

// brokenService is what WeChat tells a user when the shop's answer is no answer.
const brokenService = "该公众号提供的服务出现故障，请稍后再试"

// PushRecord is one message or event with the history of its deliveries.
type PushRecord struct {
	ID        int64     `json:"id"`
	App       string    `json:"app"`
	PersonaID string    `json:"personaId"`
	Name      string    `json:"name"` // the event, or the type of the message
	Key       string    `json:"key,omitempty"`
	At        time.Time `json:"at"`
	State     string    `json:"state"` // pending, delivered, lost
	Attempts  []Attempt `json:"attempts"`
	body      []byte    // plain XML
	openID    string
	asked     bool // somebody waits for an answer
}

// account is the original id of an app, which stands in every message beside the openid.
func (s *Sandbox) account(app string) string {
	return "gh_" + markerSum(s.appID(app))[:12]
}

func (s *Sandbox) appOptions(app string) AppOptions {
	if app == AppMP {
		return s.o.MiniProgram
	}
	return s.o.OfficialAccount
}

type xmlField struct {
	XMLName xml.Name
	Text    string `xml:",cdata"`
}

// pushLocked records a message or an event and starts telling the shop, when it has a callback. The caller holds mu.
func (s *Sandbox) pushLocked(app string, p *Persona, kind string, fields map[string]string) *PushRecord {
	o := s.appOptions(app)
	if o.CallbackURL == "" || o.Token == "" {
		return nil
	}
	n := &PushRecord{ID: s.next(), App: app, PersonaID: p.ID, Name: kind, Key: fields["EventKey"], At: s.o.Now(), State: notifyPending, Attempts: []Attempt{}, openID: p.OpenIDs[app]}
	list := []xmlField{{xml.Name{Local: "ToUserName"}, s.account(app)}, {xml.Name{Local: "FromUserName"}, n.openID},
		{xml.Name{Local: "CreateTime"}, strconv.FormatInt(n.At.Unix(), 10)}, {xml.Name{Local: "MsgType"}, kind}}
	if kind == "event" {
		n.Name = fields["Event"]
	} else {
		list = append(list, xmlField{xml.Name{Local: "MsgId"}, strconv.FormatInt(24_000_000_000_000_000+n.ID, 10)})
	}
	names := make([]string, 0, len(fields))
	for k := range fields {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		list = append(list, xmlField{xml.Name{Local: k}, fields[k]})
	}
	n.asked = kind != "event" || slices.Contains([]string{"subscribe", "SCAN", "CLICK"}, n.Name)
	var b bytes.Buffer
	if err := xml.NewEncoder(&b).EncodeElement(struct{ Fields []xmlField }{list}, xml.StartElement{Name: xml.Name{Local: "xml"}}); err != nil {
		s.o.Logger.Error("wxsandbox: push", "error", err)
		return nil
	}
	n.body = b.Bytes()
	s.st.Pushes = append(s.st.Pushes, n)
	if len(s.st.Pushes) > 400 {
		s.st.Pushes = slices.Clone(s.st.Pushes[len(s.st.Pushes)-200:])
	}
	s.touch()
	s.spawn(func() { s.deliverPush(n) })
	return n
}

// deliverPush sends a push, up to three times, with the faults that hit it.
func (s *Sandbox) deliverPush(n *PushRecord) {
	seen := map[int]bool{}
	copies, forge, other, drop := 1, false, false, false
	for {
		f := s.takeFault("push", n.Name, seen, faultKinds["push"]...)
		if f == nil {
			break
		}
		seen[f.ID] = true
		switch f.Kind {
		case "delay":
			if !s.pause(time.Duration(f.DelayMs) * time.Millisecond) {
				return
			}
		case "drop":
			drop = true
		case "duplicate":
			copies = 3
			if k, err := strconv.Atoi(string(f.Value)); err == nil && k > 0 && k <= 50 {
				copies = k
			}
		case "reorder":
			s.holdBack("push-"+strconv.FormatInt(n.ID, 10), time.Duration(f.DelayMs)*time.Millisecond)
		case "forge":
			forge = true
		case "wrong_appid":
			other = true
		}
	}
	state, said := notifyLost, ""
	for try := range pushTries {
		if try > 0 && !s.pause(s.sped(pushGap)) {
			return
		}
		if drop { // this delivery is lost on the way; WeChat tries again
			drop = false
			s.recordPush(n, Attempt{At: s.o.Now(), Error: "丢失：未送达"})
			continue
		}
		ok, answer := s.pushCopies(n, copies, forge, other)
		copies = 1
		if ok && !forge && !other {
			state, said = notifyDelivered, answer
			break
		}
		forge, other = false, false
	}
	s.releaseHeld("push-" + strconv.FormatInt(n.ID, 10))
	s.mu.Lock()
	defer s.mu.Unlock()
	n.State = state
	if state == notifyLost && n.asked {
		s.chatLocked(n.PersonaID, ChatEntry{Side: "note", Kind: "text", Text: brokenService})
	}
	if said != "" {
		s.answered(n, said)
	}
	s.touch()
}

func (s *Sandbox) pushCopies(n *PushRecord, copies int, forge, other bool) (ok bool, answer string) {
	type result struct {
		a    Attempt
		body string
	}
	results := make([]result, copies)
	var wg sync.WaitGroup
	for i := range copies {
		wg.Go(func() { results[i].a, results[i].body = s.sendPush(n, forge, other) })
	}
	wg.Wait()
	for _, r := range results {
		s.recordPush(n, r.a)
		if r.a.Status == http.StatusOK {
			ok, answer = true, r.body
		}
	}
	return ok, answer
}

func (s *Sandbox) recordPush(n *PushRecord, a Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.Attempts = append(n.Attempts, a)
	s.touch()
}

// signedPush writes address and body of one delivery.
func (s *Sandbox) signedPush(app string, openID string, body []byte, forge, other bool) (string, []byte, error) {
	o := s.appOptions(app)
	stamp, nonce := strconv.FormatInt(s.o.Now().Unix(), 10), strconv.FormatInt(int64(randomUint32()), 10)
	q := url.Values{"timestamp": {stamp}, "nonce": {nonce}, "signature": {signPush(o.Token, stamp, nonce)}, "openid": {openID}}
	s.mu.Lock()
	plain := s.st.PlainPush || o.AESKey == ""
	s.mu.Unlock()
	if !plain {
		appID := o.AppID
		if other {
			appID = "wx0000000000000000"
		}
		sealed, err := o.seal(body, appID)
		if err != nil {
			return "", nil, err
		}
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", signPush(o.Token, stamp, nonce, sealed))
		body = []byte("<xml><ToUserName><![CDATA[" + s.account(app) + "]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>")
	}
	if forge {
		q.Set("signature", signPush("guess", stamp, nonce))
		q.Set("msg_signature", signPush("guess", stamp, nonce, string(body)))
	}
	sep := "?"
	if strings.Contains(o.CallbackURL, "?") {
		sep = "&"
	}
	return o.CallbackURL + sep + q.Encode(), body, nil
}

func (s *Sandbox) sendPush(n *PushRecord, forge, other bool) (a Attempt, answer string) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.ctx.Done():
		return Attempt{At: s.o.Now(), Error: "沙箱已关闭"}, ""
	}
	a = Attempt{At: s.o.Now()}
	if forge {
		a.Fault = "forge"
	}
	to, body, err := s.signedPush(n.App, n.openID, n.body, forge, other)
	if err != nil {
		a.Error = err.Error()
		return a, ""
	}
	ctx, cancel := context.WithTimeout(s.ctx, pushTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		a.Error = err.Error()
		return a, ""
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := s.o.HTTPClient.Do(req)
	if err != nil {
		a.Error = "没有应答"
		return a, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		a.Error = "应答不完整"
		return a, ""
	}
	a.Status, a.Body = resp.StatusCode, string(b[:min(len(b), excerpt)])
	return a, string(b)
}

// pushAnswer is what the shop may answer at once.
type pushAnswer struct {
	To       string `xml:"ToUserName"`
	From     string `xml:"FromUserName"`
	At       int64  `xml:"CreateTime"`
	Type     string `xml:"MsgType"`
	Content  string `xml:"Content"`
	Count    int    `xml:"ArticleCount"`
	Articles []struct {
		Title       string `xml:"Title"`
		Description string `xml:"Description"`
		PicURL      string `xml:"PicUrl"`
		URL         string `xml:"Url"`
	} `xml:"Articles>item"`
}

// answered shows the shop's answer in the chat, or that it is none. The caller holds mu.
func (s *Sandbox) answered(n *PushRecord, said string) {
	if said = strings.TrimSpace(said); said == "" || said == "success" {
		return
	}
	e, err := s.readAnswer(n, said)
	if err != nil {
		s.o.Logger.Warn("wxsandbox: the answer to a push is none", "push", n.Name, "error", err)
		e = ChatEntry{Side: "note", Kind: "text", Text: brokenService}
	}
	s.chatLocked(n.PersonaID, e)
}

func (s *Sandbox) readAnswer(n *PushRecord, said string) (ChatEntry, error) {
	o := s.appOptions(n.App)
	var sealed struct {
		Encrypt   string `xml:"Encrypt"`
		Signature string `xml:"MsgSignature"`
		Stamp     string `xml:"TimeStamp"`
		Nonce     string `xml:"Nonce"`
	}
	if err := xml.Unmarshal([]byte(said), &sealed); err != nil {
		return ChatEntry{}, err
	}
	encrypted := !s.st.PlainPush && o.AESKey != ""
	if (sealed.Encrypt != "") != encrypted {
		return ChatEntry{}, errors.New("the answer is not in the mode of the push")
	}
	plain := []byte(said)
	if encrypted {
		if sealed.Signature != signPush(o.Token, sealed.Stamp, sealed.Nonce, sealed.Encrypt) {
			return ChatEntry{}, errors.New("the answer's signature is wrong")
		}
		var err error
		if plain, err = o.unseal(sealed.Encrypt); err != nil {
			return ChatEntry{}, err
		}
	}
	var a pushAnswer
	if err := xml.Unmarshal(plain, &a); err != nil {
		return ChatEntry{}, err
	}
	if a.To != n.openID || a.From != s.account(n.App) || a.At == 0 {
		return ChatEntry{}, errors.New("sender, receiver or time is wrong")
	}
	e := ChatEntry{Side: "oa", Kind: a.Type}
	switch a.Type {
	case "text":
		if e.Text = a.Content; e.Text == "" || len(e.Text) > 2048 {
			return e, errors.New("a text needs 1 to 2048 bytes")
		}
	case "news":
		if len(a.Articles) == 0 || a.Count != len(a.Articles) {
			return e, errors.New("ArticleCount is not the number of articles")
		}
		most := 8
		if n.Name == "text" || n.Name == "image" || n.Name == "voice" || n.Name == "video" || n.Name == "location" {
			most = 1 // WeChat sends the first only
		}
		for _, x := range a.Articles[:min(most, len(a.Articles))] {
			e.Articles = append(e.Articles, ChatArticle{x.Title, x.Description, x.PicURL, x.URL})
		}
	default:
		return e, errors.New("unknown type " + a.Type)
	}
	return e, nil
}
