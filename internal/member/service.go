package member

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/session"
	"github.com/liangche/liangche/internal/setting"
)

// Balances tells what a member's wallet holds, principal and bonus together, in fen.
type Balances interface {
	TotalFen(ctx context.Context, memberID int64) (money.Fen, error)
}

// Tiers names and sets a member's tier.
type Tiers interface {
	TierName(ctx context.Context, memberID int64) (string, error)
	SetTierTx(ctx context.Context, tx *db.Tx, memberID, tierID int64, reason string) error
}

// Classes names a vehicle class; fault.ErrNotFound for one that does not exist.
type Classes interface {
	VehicleClassName(ctx context.Context, r db.Reader, id int64) (string, error)
}

// Options are the shop's choices.
type Options struct {
	// AuthorizeURL is where a browser goes to log in at WeChat with a state; "" when there is no official account.
	AuthorizeURL  func(state string) string
	SecureCookies bool // the login cookie over https only
	// StoreExists returns fault.ErrNotFound for an id that is no store.
	StoreExists func(ctx context.Context, id int64) error
	// Unfinished counts the bookings that keep a member from leaving; nil where there are none.
	Unfinished func(ctx context.Context, memberID int64) (int, error)
	// Open says what else keeps a member from leaving, as a fault that tells how to end it; nil where there is nothing.
	Open func(ctx context.Context, memberID int64) error
	// EraseTx forgets what others keep of a member who has left; nil where there is nothing.
	EraseTx func(ctx context.Context, tx *db.Tx, memberID int64) error
	// InvitedTx hears whose invite code a new member brought; nil where nobody asks.
	InvitedTx func(ctx context.Context, tx *db.Tx, memberID int64, code string) error
	// JoinedTx hears that a WeChat identity became a member's: by joining, by proving the phone, by its unionid. nil where nobody asks.
	JoinedTx func(ctx context.Context, tx *db.Tx, memberID, identityID int64) error
	// LinkedTx hears that an app was joined to a member by a code; nil where nobody tells the owner.
	LinkedTx func(ctx context.Context, tx *db.Tx, memberID int64, app string) error
	// VehicleTx hears that a car was changed or removed; nil where nobody asks.
	VehicleTx func(ctx context.Context, tx *db.Tx, c VehicleChange) error
	// Texts sends phone codes; nil where the shop has no SMS provider.
	Texts        Texts
	TextProvider string       // its name, for the console
	Log          *slog.Logger // nil discards
}

// Service is the use cases of this package. It is safe for concurrent use once connected.
type Service struct {
	db       *db.DB
	box      *secret.Box
	settings *setting.Service
	sessions *session.Finder[whoRow]
	wechat   WeChat
	classes  Classes
	balances Balances
	tiers    Tiers
	opt      Options
}

func (s *Service) log() *slog.Logger {
	if s.opt.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.opt.Log
}

// New returns the service. Balances and tiers stand on members, so they are connected afterwards.
func New(d *db.DB, box *secret.Box, settings *setting.Service, wx WeChat, classes Classes, opt Options) *Service {
	return &Service{db: d, box: box, settings: settings, sessions: session.NewFinder[whoRow](d, whoColumns, whoJoins), wechat: wx, classes: classes, opt: opt}
}

// Connect gives the service what is built on top of it, before the first request.
func (s *Service) Connect(b Balances, t Tiers) { s.balances, s.tiers = b, t }

// PhoneIndex is the blind index of a normalised phone number, as in member_members.phone_index.
func (s *Service) PhoneIndex(phone string) string { return s.box.Index(colPhone, phone) }

// Last4Index is the blind index of a phone's last four digits, as in member_members.last4_index; it takes the whole
// number or the four digits.
func (s *Service) Last4Index(phone string) string {
	if len(phone) > 4 {
		phone = phone[len(phone)-4:]
	}
	return s.box.Index(colLast4, phone)
}

// NameIndex is the blind index of a whole name, as in member_members.name_index.
func (s *Service) NameIndex(name string) string { return s.box.Index(colName, name) }

// OpenName decrypts member_members.name_sealed for a caller that masks it.
func (s *Service) OpenName(sealed string) (string, error) { return s.box.Open(colName, sealed) }

// OpenPhone decrypts member_members.phone_sealed for a caller that masks it.
func (s *Service) OpenPhone(sealed string) (string, error) { return s.box.Open(colPhone, sealed) }

// AheadTx reads and locks several members and scans at once, with the next db.Tx.Collect, for StandingTx and UseScanTx in the same
// transaction, which must change neither by other ways. Both must be in ascending order.
func (s *Service) AheadTx(tx *db.Tx, members, scans []int64) error {
	if len(members) > 0 {
		if err := standingsSoon(tx, members); err != nil {
			return err
		}
	}
	if len(scans) == 0 {
		return nil
	}
	return scansSoon(tx, scans)
}

// StandingTx reads a member and the current card under lock. Fault: fault.ErrNotFound.
func (s *Service) StandingTx(ctx context.Context, tx *db.Tx, memberID int64) (Standing, error) {
	r, err := lockStanding(ctx, tx, memberID)
	if err != nil {
		return Standing{}, notFound(err)
	}
	m, err := s.open(memberRow{NameSealed: r.NameSealed, PhoneSealed: r.PhoneSealed})
	if err != nil {
		return Standing{}, err
	}
	st := Standing{MemberID: r.ID, Name: m.Name, PhoneMasked: MaskPhone(m.Phone), Status: r.Status}
	if r.CardID != nil {
		st.CardID, st.CardNo, st.CardStatus = *r.CardID, *r.CardNo, *r.CardStatus
	}
	return st, nil
}

// Get reads a member with personal data in clear. Fault: fault.ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Member, error) {
	r, err := s.readMember(ctx, s.db, id, "")
	if err != nil {
		return Member{}, err
	}
	return s.open(r)
}

// ByPhone finds the living member of a phone number. Fault: fault.ErrNotFound.
func (s *Service) ByPhone(ctx context.Context, phone string) (Member, error) {
	phone, ok := NormalPhone(phone)
	if !ok {
		return Member{}, fault.ErrNotFound
	}
	r, found, err := s.byPhone(ctx, s.db, phone, "")
	if err != nil {
		return Member{}, err
	}
	if !found {
		return Member{}, fault.ErrNotFound
	}
	return s.open(r)
}

// Card reads a member's current card. Fault: ErrNoCard.
func (s *Service) Card(ctx context.Context, memberID int64) (Card, error) {
	c, err := currentCard(ctx, s.db, memberID, "")
	if err != nil {
		return Card{}, err
	}
	return c.card(), nil
}

// Cards lists all cards that a member ever had, newest first.
func (s *Service) Cards(ctx context.Context, memberID int64) ([]Card, error) {
	rows, err := cardsOf(ctx, s.db, memberID)
	out := make([]Card, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.card())
	}
	return out, err
}

// Identities lists the WeChat identities of a member: the recipients of messages.
func (s *Service) Identities(ctx context.Context, memberID int64) ([]Identity, error) {
	rows, err := identitiesOf(ctx, s.db, memberID, "")
	out := make([]Identity, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.identity())
	}
	return out, err
}

// Recipients is Identities, for the notifier. Who was merged is reached where they were: what is told of their old orders gets to them.
func (s *Service) Recipients(ctx context.Context, memberID int64) ([]Identity, error) {
	ids, err := s.Identities(ctx, memberID)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	rows, err := identitiesFrom(ctx, s.db, memberID)
	for _, r := range rows {
		ids = append(ids, r.identity())
	}
	return ids, err
}

// OpenID is the app and openid of an identity (N24: never use it for another app). Fault: fault.ErrNotFound.
func (s *Service) OpenID(ctx context.Context, identityID int64) (app, openID string, err error) {
	x, err := readIdentity(ctx, s.db, identityID, "")
	return x.App, x.OpenID, err
}

// Authenticate resolves an owner's access token. The actor's name is masked, because it ends up in records and in the
// audit trail. Fault: fault.ErrExpired.
func (s *Service) Authenticate(ctx context.Context, token string) (actor.Actor, error) {
	rows, err := s.sessions.Find(ctx, actor.Owner, token)
	if err != nil {
		return actor.Actor{}, err
	}
	r := rows[0]      // an identity has one member at most
	if r.App == nil { // the identity is gone
		return actor.Actor{}, fault.ErrExpired
	}
	a := actor.Actor{Kind: actor.Owner, ID: r.SubjectID, App: *r.App, SessionID: r.SessionID, Name: "微信用户"}
	if r.MemberID != nil {
		a.MemberID = *r.MemberID
	}
	if r.NameSealed != nil && *r.NameSealed != "" {
		name, err := s.OpenName(*r.NameSealed)
		if err != nil {
			return actor.Actor{}, err
		}
		a.Name = MaskName(name)
	}
	return a, nil
}

// label is how the audit trail calls a member: masked.
func (s *Service) label(r memberRow) string {
	m, err := s.open(r)
	if err != nil || m.Name == "" {
		return fmt.Sprintf("会员 %d", r.ID)
	}
	return MaskName(m.Name) + " " + MaskPhone(m.Phone)
}

// once runs a command at most once per Idempotency-Key where the caller has one; seeds and jobs have none.
func once[T any](ctx context.Context, tx *db.Tx, fn func() (T, error)) (T, error) {
	if _, ok := idem.From(ctx); !ok {
		return fn()
	}
	out, _, err := idem.Once(ctx, tx, fn)
	return out, err
}

// today is the business date of an instant in China.
func today(t time.Time) string { return t.In(shanghai).Format(time.DateOnly) }

var shanghai = time.FixedZone("CST", 8*3600)

func at(ms int64) time.Time { return clock.FromMillis(ms) }
