package wechat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/officialaccount/server"
	"github.com/silenceper/wechat/v2/util"
)

// MaxPush is the largest body of a push that is read, in bytes.
const MaxPush = 64 << 10

// pushWindow is how far the instant that a push was signed at may be from now.
const pushWindow = 5 * time.Minute

// Push is a message or an event that WeChat pushed: its signature is right, and it is decrypted. The same one may come up to three times.
type Push struct {
	App       string    // MiniProgram or OfficialAccount
	From      string    // openid; "" where the event names none
	CreatedAt time.Time // whole seconds
	Type      string    // "text", "event" …
	Event     string    // as WeChat writes it: "subscribe", "CLICK", "TEMPLATESENDJOBFINISH"
	Key       string    // EventKey
	Content   string    // of a text
	MsgID     string    // of a message; of TEMPLATESENDJOBFINISH the message that was sent
	Status    string    // of TEMPLATESENDJOBFINISH
	Fields    map[string]string
	Raw       []byte // decrypted
	Nonce     string // unique per delivery: who delivers other content under the same one replays
}

// Dedupe names what was pushed: the same for every delivery of it (N25). Messages have an id; events have none, so sender, second, event and its key
// stand for it.
func (p Push) Dedupe() string {
	if p.Type != "event" && p.MsgID != "" {
		return fingerprint("m", p.App, p.MsgID)
	}
	if p.From == "" && p.Event == "" {
		return fingerprint("r", p.App, string(p.Raw))
	}
	return fingerprint("e", p.App, p.From, strconv.FormatInt(p.CreatedAt.Unix(), 10), p.Event, p.Key, p.MsgID)
}

func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Article is one entry of a picture-and-text answer.
type Article struct{ Title, Description, PictureURL, URL string }

// Reply is what is answered at once: a text, or articles (eight at most; one to somebody's own message). The zero Reply answers nothing.
type Reply struct {
	Text     string
	Articles []Article
}

// ErrReplayed is what Take returns for a delivery whose nonce came before with other content.
var ErrReplayed = errors.New("wechat: a replayed push")

// Take keeps a push and says what is answered. An error makes WeChat deliver it again, up to three times in all.
type Take func(ctx context.Context, p Push) (Reply, error)

// pusher is the callback of one app.
type pusher struct {
	c    *Client
	app  App
	name string
	now  func() time.Time
	take Take
}

// Pushes answers the message callback of MiniProgram or OfficialAccount: GET is WeChat's check of the address, POST a push in plain or encrypted form.
// Answers: 403 for a wrong signature, an old one, a replay and a wrong appid; 413 for a body above MaxPush; 400 for what is no message; 404 without a
// token; 500 where take failed.
func (c *Client) Pushes(app string, now func() time.Time, take Take) http.Handler {
	p := &pusher{c: c, app: c.cfg.MiniProgram, name: app, now: now, take: take}
	if app == OfficialAccount {
		p.app = c.cfg.OfficialAccount
	}
	return http.HandlerFunc(p.serve)
}

var echoForm = regexp.MustCompile(`^[0-9A-Za-z_+/=-]{1,256}$`)

func (p *pusher) serve(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case p.app.AppID == "" || p.app.Token == "":
		http.NotFound(w, r)
	case !p.signed(q, "signature") || !p.timely(q):
		http.Error(w, "forged", http.StatusForbidden)
	case r.Method == http.MethodGet && echoForm.MatchString(q.Get("echostr")):
		write(w, q.Get("echostr"))
	case r.Method == http.MethodGet:
		http.Error(w, "no echostr", http.StatusBadRequest)
	default:
		p.post(w, r, q)
	}
}

// signed compares the sha1 over the sorted token, timestamp, nonce and more.
func (p *pusher) signed(q url.Values, name string, more ...string) bool {
	want := util.Signature(append([]string{p.app.Token, q.Get("timestamp"), q.Get("nonce")}, more...)...)
	return subtle.ConstantTimeCompare([]byte(want), []byte(q.Get(name))) == 1
}

var nonceForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

func (p *pusher) timely(q url.Values) bool {
	at, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	if err != nil || !nonceForm.MatchString(q.Get("nonce")) {
		return false
	}
	d := p.now().Sub(time.Unix(at, 0))
	return d > -pushWindow && d < pushWindow
}

func (p *pusher) post(w http.ResponseWriter, r *http.Request, q url.Values) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPush+1))
	switch {
	case err != nil:
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	case len(body) > MaxPush:
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	plain, err := p.open(q, body)
	if errors.Is(err, errForged) {
		http.Error(w, "forged", http.StatusForbidden)
		return
	}
	var in Push
	if err == nil {
		in, err = parsePush(plain)
	}
	if err != nil {
		p.c.log.WarnContext(r.Context(), "a push that is no message", "app", p.name, "err", err)
		http.Error(w, "malformed", http.StatusBadRequest)
		return
	}
	in.App, in.Nonce = p.name, fingerprint(p.name, q.Get("timestamp"), q.Get("nonce"))
	reply, err := p.take(r.Context(), in)
	switch {
	case errors.Is(err, ErrReplayed):
		http.Error(w, "replayed", http.StatusForbidden)
	case err != nil:
		p.c.log.WarnContext(r.Context(), "a push was not kept, WeChat will send it again", "app", p.name, "event", in.Event, "err", err)
		http.Error(w, "try again", http.StatusInternalServerError)
	default:
		p.answer(w, r, body, in, reply)
	}
}

var errForged = errors.New("wechat: forged")

// open verifies and decrypts. The SDK's receiver of the mini-program decrypts whatever comes: the signature over the ciphertext is checked first, here.
func (p *pusher) open(q url.Values, body []byte) ([]byte, error) {
	if q.Get("encrypt_type") != "aes" {
		return body, nil
	}
	if p.app.AESKey == "" {
		return nil, errors.New("encrypted, but no aes_key is configured")
	}
	sealed, err := parseFields(body)
	if err != nil {
		return nil, err
	}
	if !p.signed(q, "msg_signature", sealed["Encrypt"]) {
		return nil, errForged
	}
	_, plain, err := util.DecryptMsg(p.app.AppID, sealed["Encrypt"], p.app.AESKey)
	if err != nil { // another app's, or another key
		return nil, errForged
	}
	return plain, nil
}

// answer writes success, or the reply by the SDK's server. That server would answer a forgery with an empty 200, a nil reply in encrypted mode with an
// encrypted nothing, and an event with odd fields with an error: it sees only what was checked and has an answer.
func (p *pusher) answer(w http.ResponseWriter, r *http.Request, body []byte, in Push, reply Reply) {
	var msg message.Reply
	switch {
	case p.c.oaContext == nil || p.name != OfficialAccount || in.From == "" || reply.Text == "" && len(reply.Articles) == 0:
		write(w, "success")
		return
	case len(reply.Articles) > 0:
		var list []*message.Article
		for _, a := range reply.Articles {
			list = append(list, message.NewArticle(a.Title, a.Description, a.PictureURL, a.URL))
		}
		msg = message.Reply{MsgType: message.MsgTypeNews, MsgData: message.NewNews(list)}
	default:
		msg = message.Reply{MsgType: message.MsgTypeText, MsgData: message.NewText(reply.Text)}
	}
	out := &answerWriter{h: http.Header{}}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	srv := server.NewServer(p.c.oaContext)
	srv.Writer, srv.Request = out, again
	srv.SetMessageHandler(func(*message.MixMessage) *message.Reply { return &msg })
	if err := errors.Join(srv.Serve(), srv.Send()); err != nil || out.b.Len() == 0 {
		p.c.log.WarnContext(r.Context(), "an answer could not be written", "event", in.Event, "err", err)
		write(w, "success")
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	_, _ = w.Write(out.b.Bytes())
}

type answerWriter struct {
	h http.Header
	b bytes.Buffer
}

func (a *answerWriter) Header() http.Header         { return a.h }
func (a *answerWriter) Write(b []byte) (int, error) { return a.b.Write(b) }
func (a *answerWriter) WriteHeader(int)             {}

func write(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
}

// parsePush reads a decrypted push.
func parsePush(raw []byte) (Push, error) {
	f, err := parseFields(raw)
	if err != nil {
		return Push{}, err
	}
	p := Push{From: f["FromUserName"], Type: f["MsgType"], Event: f["Event"], Key: f["EventKey"], Content: f["Content"], Status: f["Status"], Fields: f, Raw: raw}
	if p.MsgID = f["MsgId"]; p.MsgID == "" {
		p.MsgID = f["MsgID"]
	}
	at, err := strconv.ParseInt(f["CreateTime"], 10, 64)
	if err != nil || at < 0 || at > 1<<40 || p.Type == "" || len(p.From) > 64 || len(p.Type) > 32 || len(p.Event) > 64 || len(p.MsgID) > 64 {
		return Push{}, errors.New("no CreateTime or MsgType, or a field is too long")
	}
	p.CreatedAt = time.Unix(at, 0).UTC()
	return p, nil
}

// Limits of a message's form: WeChat's own stay far below.
const (
	pushDepth  = 8
	pushFields = 400
)

// parseFields reads XML (or flat JSON, which a mini-program may be set to) into its texts by path: "ScanCodeInfo.ScanResult". The first of several alike
// counts. A document type, an entity of its own, a processing instruction, another encoding and an unreasonable form are refused.
func parseFields(raw []byte) (map[string]string, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	if b := bytes.TrimSpace(raw); len(b) > 0 && b[0] == '{' {
		return parseJSONFields(b)
	}
	out := map[string]string{}
	d := xml.NewDecoder(bytes.NewReader(raw))
	var path []string
	var text strings.Builder
	roots := 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, errors.New("a document type")
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, errors.New("a processing instruction")
			}
		case xml.StartElement:
			if len(path) == 0 {
				roots++
			}
			path = append(path, t.Name.Local)
			text.Reset()
			if len(path) > pushDepth || roots > 1 {
				return nil, errors.New("too deep, or more than one root")
			}
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if name := strings.Join(path[1:], "."); name != "" {
				if _, known := out[name]; !known {
					if len(out) == pushFields {
						return nil, errors.New("too many fields")
					}
					out[name] = strings.TrimSpace(text.String())
				}
			}
			path = path[:len(path)-1]
			text.Reset()
		}
	}
	if roots == 0 {
		return nil, errors.New("no element")
	}
	return out, nil
}

func parseJSONFields(raw []byte) (map[string]string, error) {
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return nil, err
	}
	if len(all) > pushFields {
		return nil, errors.New("too many fields")
	}
	out := map[string]string{}
	for k, v := range all {
		switch v := v.(type) {
		case string:
			out[k] = v
		case json.Number:
			out[k] = v.String()
		}
	}
	return out, nil
}
