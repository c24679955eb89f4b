package wxsandbox

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// cst is China Standard Time; WeChat writes every instant in it.
var cst = time.FixedZone("CST", 8*3600)

// Sandbox is one running stand-in. Its methods may be called from any goroutine.
type Sandbox struct {
	o     Options
	cred  Credentials
	base  string // path of PublicURL, "" at the root
	tpl   map[string]Template
	pages *pages

	merchantKey *rsa.PublicKey
	signKey     *rsa.PrivateKey // of the mode
	signSerial  string

	mu        sync.Mutex
	st        *state
	byPrepay  map[string]*Order
	byCode    map[string]*Order
	byTxn     map[string]*Order
	faults    []*Fault
	faultSeq  int
	nonces    map[string]time.Time
	swept     time.Time // when nonces was last cleaned
	smsNonces map[string]time.Time
	quota     map[string]*quotaWindow
	tickets   map[string]payTicket
	bills     map[string][]byte        // offered bill files, by name
	held      map[string]chan struct{} // notifications held back by "reorder"
	closed    bool

	ctx    lifetime
	wg     sync.WaitGroup
	dirty  chan struct{}
	saveMu sync.Mutex
	slots  chan struct{} // bounds concurrent deliveries
	handle http.Handler
}

// New starts a sandbox. It returns an error for options that WeChat would refuse, for identifiers without the sandbox
// marker, for unreadable keys and for an unreadable state file.
func New(o Options, c Credentials) (*Sandbox, error) {
	o, err := o.complete(c)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(o.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("wxsandbox: PublicURL: %w", err)
	}
	s := &Sandbox{
		o: o, cred: c, base: strings.TrimRight(u.Path, "/"), tpl: map[string]Template{},
		st: newState(), nonces: map[string]time.Time{}, smsNonces: map[string]time.Time{}, quota: map[string]*quotaWindow{}, tickets: map[string]payTicket{}, bills: map[string][]byte{},
		held: map[string]chan struct{}{}, dirty: make(chan struct{}, 1), slots: make(chan struct{}, 16),
	}
	for _, t := range o.Templates {
		s.tpl[t.ID] = t
	}
	if s.pages, err = loadPages(); err != nil {
		return nil, err
	}
	if s.merchantKey, err = parsePublic(o.Pay.MerchantPublicKeyPEM); err != nil {
		return nil, fmt.Errorf("wxsandbox: merchant key: %w", err)
	}
	key, serial := c.PlatformPrivateKeyPEM, c.PlatformPublicKeyID
	if o.Pay.Mode == ModeCertificate {
		key, serial = c.PlatformCertKeyPEM, c.PlatformCertificateSerial
	}
	if s.signKey, err = parsePrivate(key); err != nil {
		return nil, fmt.Errorf("wxsandbox: platform key: %w", err)
	}
	s.signSerial = serial
	if err := s.load(); err != nil {
		return nil, err
	}
	if len(s.st.Personas) == 0 {
		s.seed()
	}
	s.reindex()
	s.ctx = lifetime{done: make(chan struct{})}
	s.handle = s.routes()
	s.wg.Go(s.saver)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resume()
	return s, nil
}

// Handler serves the sandbox; mount it with the path of PublicURL stripped.
func (s *Sandbox) Handler() http.Handler { return s.handle }

// Credentials returns the identifiers and keys in use.
func (s *Sandbox) Credentials() Credentials { return s.cred }

// Close stops every worker, waits for them and writes the state file. A second call does nothing.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.ctx.done)
	s.wg.Wait()
	return s.save()
}

// spawn runs f in the background unless the sandbox is closing. The caller holds mu, so that Close cannot miss it.
func (s *Sandbox) spawn(f func()) {
	if !s.closed {
		s.wg.Go(f)
	}
}

// pause waits d and reports false when the sandbox closes first.
func (s *Sandbox) pause(d time.Duration) bool {
	if d <= 0 {
		return s.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *Sandbox) app(appID string) (string, AppOptions, bool) {
	switch appID {
	case s.o.MiniProgram.AppID:
		return AppMP, s.o.MiniProgram, true
	case s.o.OfficialAccount.AppID:
		return AppOA, s.o.OfficialAccount, true
	}
	return "", AppOptions{}, false
}

func (s *Sandbox) appID(app string) string {
	if app == AppMP {
		return s.o.MiniProgram.AppID
	}
	return s.o.OfficialAccount.AppID
}

// Reset forgets orders, messages, codes, tokens, grants and faults; the seeded personas come back as they were.
func (s *Sandbox) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.st.Notifications {
		if n.State == notifyPending {
			n.State = notifyLost // its worker ends at the next step
		}
	}
	seq := s.st.Seq // message and transaction numbers are never reused
	s.st = newState()
	s.st.Seq = seq
	s.faults = nil
	s.quota = map[string]*quotaWindow{}
	s.tickets = map[string]payTicket{}
	s.seed()
	s.reindex()
	s.touch()
}

func (s *Sandbox) reindex() {
	s.byPrepay, s.byCode, s.byTxn = map[string]*Order{}, map[string]*Order{}, map[string]*Order{}
	for _, o := range s.st.Orders {
		s.index(o)
	}
}

func (s *Sandbox) index(o *Order) {
	if o.PrepayID != "" {
		s.byPrepay[o.PrepayID] = o
	}
	if o.CodeURL != "" {
		s.byCode[o.CodeURL] = o
	}
	if o.TransactionID != "" {
		s.byTxn[o.TransactionID] = o
	}
}

func (s *Sandbox) next() int64 { s.st.Seq++; return s.st.Seq }

// lifetime is the sandbox's own context: it outlives every request and ends with Close.
type lifetime struct{ done chan struct{} }

func (l lifetime) Deadline() (time.Time, bool) { return time.Time{}, false }
func (l lifetime) Done() <-chan struct{}       { return l.done }
func (l lifetime) Value(any) any               { return nil }
func (l lifetime) Err() error {
	select {
	case <-l.done:
		return context.Canceled
	default:
		return nil
	}
}
