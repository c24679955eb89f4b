package group

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
)

// Documents keeps sealed images; it is *blob.Service.
type Documents interface {
	PutSealed(ctx context.Context, data []byte, seal func(plain string) (string, error)) (key string, err error)
	Sealed(ctx context.Context, key string, open func(sealed string) (string, error)) ([]byte, error)
	Remove(ctx context.Context, key string) error
}

// Deps are what the service stands on.
type Deps struct {
	DB        *db.DB
	Box       *secret.Box
	Members   *member.Service
	Tiers     *tier.Service
	Catalog   *catalog.Service
	Shops     *shop.Service
	Settings  *setting.Service
	Messages  *notify.Service
	Queue     *jobs.Queue
	Documents Documents
	InviteURL string // a code is put behind it
}

// Service runs the use cases of groups.
type Service struct {
	db        *db.DB
	box       *secret.Box
	members   *member.Service
	tiers     *tier.Service
	catalog   *catalog.Service
	shops     *shop.Service
	settings  *setting.Service
	messages  *notify.Service
	queue     *jobs.Queue
	documents Documents
	inviteURL string
}

// The columns that sealed values are bound to.
const (
	colContact  = "group.contact"
	colDocument = "group.document"
)

const jobForget = "group.forget"

// New returns the service and registers its job.
func New(d Deps) *Service {
	s := &Service{db: d.DB, box: d.Box, members: d.Members, tiers: d.Tiers, catalog: d.Catalog, shops: d.Shops, settings: d.Settings, messages: d.Messages, queue: d.Queue,
		documents: d.Documents, inviteURL: d.InviteURL}
	d.Queue.Handle(jobForget, s.forget)
	return s
}

// forget removes the documents of a group that has ended.
func (s *Service) forget(ctx context.Context, payload []byte) error {
	var keys []string
	if err := json.Unmarshal(payload, &keys); err != nil {
		return err
	}
	for _, k := range keys {
		if err := s.documents.Remove(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) today() string { return bizday.Of(s.db.Now(), bizday.DefaultZone) }

// known says which services exist.
func (s *Service) known(ctx context.Context) (func(id int64) bool, error) {
	all, err := s.catalog.Services(ctx)
	return func(id int64) bool {
		return slices.ContainsFunc(all, func(x catalog.ServiceItem) bool { return x.ID == id })
	}, err
}

func (s *Service) record(ctx context.Context, tx *db.Tx, action string, g Group, detail map[string]any) error {
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "group", SubjectID: g.ID, SubjectLabel: g.Name, StoreID: g.StoreID, Detail: detail})
}

// Get reads a group. Fault: fault.ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Group, error) {
	g, err := groupByID(ctx, s.db, id, "")
	if err != nil {
		return g, err
	}
	return g, s.openContact(&g)
}

func (s *Service) openContact(g *Group) error {
	if g.sealed == "" {
		return nil
	}
	text, err := s.box.Open(colContact, g.sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), &g.Contact)
}

func (s *Service) sealContact(g *Group) error {
	text, err := json.Marshal(g.Contact)
	if err != nil {
		return err
	}
	g.sealed, err = s.box.Seal(colContact, string(text))
	return err
}

// mine says whether the acting person may manage the group: its payer, or staff at the desk. Faults: fault.ErrNotFound for strangers, ErrNotMine for drivers.
func (s *Service) mine(ctx context.Context, r db.Reader, g Group) error {
	who := actor.From(ctx)
	if who.Kind != actor.Owner || g.PayerID == who.MemberID {
		return nil
	}
	switch _, err := driverOf(ctx, r, g.ID, who.MemberID); {
	case err == nil:
		return ErrNotMine
	case errors.Is(err, ErrNoDriver):
		return fault.ErrNotFound
	default:
		return err
	}
}

// change locks a group for whoever may manage it and stores what fn made of it. Faults: those of mine.
func (s *Service) change(ctx context.Context, id int64, fn func(ctx context.Context, tx *db.Tx, g *Group) error) (out Group, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		g, err := groupByID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if err := s.mine(ctx, tx, g); err != nil {
			return err
		}
		if err := s.openContact(&g); err != nil {
			return err
		}
		if err := fn(ctx, tx, &g); err != nil {
			return err
		}
		out = g
		return s.storeTx(ctx, tx, g)
	})
	return out, err
}

// storeTx stores a locked group, and then looks at the tiers of those for whom it changed something.
func (s *Service) storeTx(ctx context.Context, tx *db.Tx, g Group) error {
	if err := saveGroup(ctx, tx, g); err != nil {
		return err
	}
	return s.tiers.MovedTx(ctx, tx, g.moved)
}

// NewGroup is what a group begins with. PayerID is taken from the session of an owner.
type NewGroup struct {
	Kind       string
	Name       string
	PayerID    int64
	StoreID    int64
	CreditCode string
	Contact    Contact
}

func (n *NewGroup) clean() error {
	var f fault.Complaints
	var complaint string
	n.Name, complaint = cleanText(n.Name, 2, map[string]int{Family: 20, Corporate: 60}[n.Kind])
	f.Bad("name", complaint)
	if n.Kind == Corporate {
		n.CreditCode, complaint = CreditCode(n.CreditCode)
		f.Bad("creditCode", complaint)
		n.Contact.Name, complaint = cleanText(n.Contact.Name, 1, 20)
		f.Bad("contact.name", complaint)
		n.Contact.Phone, complaint = cleanPhone(n.Contact.Phone)
		f.Bad("contact.phone", complaint)
		n.Contact.Note, complaint = cleanText(n.Contact.Note, 0, 200)
		f.Bad("contact.note", complaint)
	}
	return f.Err()
}

func cleanPhone(s string) (phone, complaint string) {
	s = strings.TrimSpace(s)
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c != '-' && c != ' ' && c != '+':
			return "", "请填写电话号码"
		}
	}
	if digits < 7 || digits > 15 {
		return "", "请填写电话号码"
	}
	return s, ""
}

// Create makes a family, which works at once, or hands a company's application in. The same idempotency key makes one. Faults: fault.ErrInvalid,
// ErrTooMany, those of member.Standing.Usable.
func (s *Service) Create(ctx context.Context, n NewGroup) (Group, error) {
	who := actor.From(ctx)
	if who.Kind == actor.Owner {
		n.PayerID = who.MemberID
	}
	if n.StoreID != 0 && !who.InStore(n.StoreID) {
		return Group{}, fault.ErrStore
	}
	if err := n.clean(); err != nil {
		return Group{}, err
	}
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) { return s.createTx(ctx, tx, n) })
		id = got
		return err
	})
	if err != nil {
		return Group{}, err
	}
	return s.Get(ctx, id)
}

func (s *Service) createTx(ctx context.Context, tx *db.Tx, n NewGroup) (int64, error) {
	st, err := s.members.StandingTx(ctx, tx, n.PayerID)
	if err != nil {
		return 0, err
	}
	if err := st.MayTopUp(); err != nil {
		return 0, err
	}
	paid, err := lockPaid(ctx, tx, n.PayerID)
	if err != nil {
		return 0, err
	}
	if len(paid) >= maxGroups {
		return 0, ErrTooMany
	}
	g := Group{ID: tx.NewID(), Kind: n.Kind, Name: n.Name, State: StateActive, PayerID: n.PayerID, StoreID: n.StoreID, CreditCode: n.CreditCode, Contact: n.Contact, CreatedAt: tx.Now}
	action := "group.create"
	if g.Kind == Corporate {
		g.State, action = StateReview, "group.apply"
		if err := s.sealContact(&g); err != nil {
			return 0, err
		}
	}
	if err := insertGroup(ctx, tx, g); err != nil {
		return 0, err
	}
	return g.ID, s.record(ctx, tx, action, g, map[string]any{"kind": g.Kind, "payerId": g.PayerID, "creditCode": g.CreditCode})
}

// Rename gives a family another name. A company's name is reviewed: Reapply changes it. Faults: ErrState, fault.ErrInvalid.
func (s *Service) Rename(ctx context.Context, id int64, name string) (Group, error) {
	name, complaint := cleanText(name, 2, 20)
	if complaint != "" {
		return Group{}, fault.ErrInvalid.On("name", complaint)
	}
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if g.Kind != Family || g.State == StateEnded {
			return ErrState.Say("企业名称须经门店审核，请联系门店修改")
		}
		g.Name = name
		return s.record(ctx, tx, "group.update", *g, nil)
	})
}

// Dissolve ends a group for good: its places, links and open questions end with it, a company's contact and documents are erased.
// What was paid stays in the statements. Fault: ErrEnded.
func (s *Service) Dissolve(ctx context.Context, id int64, reason string) (Group, error) {
	reason, complaint := cleanText(reason, 0, 200)
	if complaint != "" {
		return Group{}, fault.ErrInvalid.On("reason", complaint)
	}
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if g.State == StateEnded {
			return ErrEnded
		}
		return s.endTx(ctx, tx, g, reason, EndDissolved)
	})
}

// endTx ends a locked group; the caller stores it.
func (s *Service) endTx(ctx context.Context, tx *db.Tx, g *Group, reason, why string) error {
	if err := s.movesTx(ctx, tx, g); err != nil {
		return err
	}
	if why == EndGone {
		g.moved = slices.DeleteFunc(g.moved, func(m int64) bool { return m == g.PayerID }) // who leaves has no tier any more
	}
	now := tx.Now
	g.State, g.Reason, g.EndedAt, g.Contact, g.sealed = StateEnded, reason, &now, Contact{}, ""
	if err := endPlaces(ctx, tx, g.ID, why); err != nil {
		return err
	}
	if err := revokeInvites(ctx, tx, g.ID); err != nil {
		return err
	}
	if err := closeApprovals(ctx, tx, "group", g.ID); err != nil {
		return err
	}
	docs, err := documentsOf(ctx, tx, g.ID, tx.ForUpdate())
	if err != nil {
		return err
	}
	if len(docs) > 0 {
		var keys []string
		for _, d := range docs {
			keys = append(keys, d.Key)
		}
		if err := deleteDocuments(ctx, tx, g.ID); err != nil {
			return err
		}
		if err := s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobForget, Payload: keys}); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, "group.dissolve", *g, map[string]any{"reason": reason, "why": why})
}

// MemberLeftTx ends what a member who leaves the shop pays for and drives in. The member is locked.
func (s *Service) MemberLeftTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	paid, err := lockPaid(ctx, tx, memberID)
	if err != nil {
		return err
	}
	for _, g := range paid {
		if err := s.endTx(ctx, tx, &g, "付款人已注销", EndGone); err != nil {
			return err
		}
		if err := s.storeTx(ctx, tx, g); err != nil {
			return err
		}
	}
	places, err := placesOf(ctx, tx, memberID)
	if err != nil {
		return err
	}
	for _, d := range places {
		if err := s.endPlaceTx(ctx, tx, d, EndGone); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) endPlaceTx(ctx context.Context, tx *db.Tx, d Driver, why string) error {
	if err := endPlace(ctx, tx, d.ID, why); err != nil {
		return err
	}
	return closeApprovals(ctx, tx, "driver", d.ID)
}

func (s *Service) approvalLife(ctx context.Context) (time.Duration, error) {
	n, err := s.settings.Int(ctx, setting.GroupApprovalMinutes)
	return time.Duration(n) * time.Minute, err
}
