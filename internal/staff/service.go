package staff

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/session"
	"github.com/liangche/liangche/internal/wechat"
)

// WeChat is what this package asks of the platform.
type WeChat interface {
	MiniProgramSession(ctx context.Context, code string) (wechat.Identity, error)
}

// Tickets redeems the single-use ticket that the OAuth return hands to the H5 pages. invite is the code that came with
// the link, "" when none did. Fault: member.ticket_used.
type Tickets interface {
	RedeemStaffTicket(ctx context.Context, ticket string) (who wechat.Identity, invite string, err error)
}

// Stores lists the stores that are open for business.
type Stores interface {
	StaffStores(ctx context.Context) ([]Store, error)
}

// Options are the shop's choices.
type Options struct {
	SecureCookies bool   // console cookies over https only
	InviteURL     string // where an invitee goes; the code is appended, escaped
	ShopName      func(ctx context.Context) (string, error)
	Demo          bool
}

// Service is the use cases of this package. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	box     *secret.Box
	wechat  WeChat
	tickets Tickets
	stores  Stores
	opt     Options
	hashing chan struct{} // bounds how many passwords are compared at once
	decoy   func() string

	sessions *session.Finder[signedIn]
}

// New returns the service.
func New(d *db.DB, box *secret.Box, wx WeChat, tickets Tickets, stores Stores, opt Options) *Service {
	return &Service{db: d, box: box, wechat: wx, tickets: tickets, stores: stores, opt: opt, hashing: make(chan struct{}, 4),
		sessions: session.NewFinder[signedIn](d, standingColumns, standingJoins),
		decoy:    sync.OnceValue(func() string { return hashPassword(secret.Token(16)) })}
}

// Authenticate resolves a staff access token with permissions and stores, from the database at every request, so that
// a suspension or a changed role acts at once. Fault: fault.ErrExpired.
func (s *Service) Authenticate(ctx context.Context, token string) (actor.Actor, error) {
	found, err := s.sessions.Find(ctx, actor.Staff, token)
	if err != nil {
		return actor.Actor{}, err
	}
	rows := make([]standingRow, len(found))
	for i, x := range found {
		rows[i] = x.standingRow
	}
	a, err := whoOf(found[0].SubjectID, rows)
	if err != nil {
		return actor.Actor{}, err
	}
	a.SessionID = found[0].SessionID
	return a, nil
}

// who reads an account that may act. Fault: fault.ErrExpired.
func who(ctx context.Context, r db.Reader, id int64) (actor.Actor, error) {
	got, err := standings(ctx, r, []int64{id})
	if err != nil {
		return actor.Actor{}, err
	}
	return whoOf(id, got[id])
}

func whoOf(id int64, rows []standingRow) (actor.Actor, error) {
	if len(rows) == 0 || rows[0].Status != StatusActive {
		return actor.Actor{}, fault.ErrExpired
	}
	a := actor.Actor{Kind: actor.Staff, ID: id, Name: rows[0].Name}
	for i, x := range rows {
		if x.RoleKey != nil && (i == 0 || !x.sameRole(rows[i-1])) { // there is a row for each store
			a.Permissions = append(a.Permissions, effective(*x.RoleKey, *x.Permissions)...)
		}
		if x.StoreID != nil && !slices.Contains(a.Stores, *x.StoreID) {
			a.Stores = append(a.Stores, *x.StoreID)
		}
	}
	if !slices.IsSorted(a.Permissions) {
		slices.Sort(a.Permissions)
	}
	a.Permissions = slices.Compact(a.Permissions)
	slices.Sort(a.Stores)
	a.AllStores = len(a.Stores) == 0
	return a, nil
}

// sameRole says whether both rows give the same permissions.
func (r standingRow) sameRole(o standingRow) bool {
	return r.RoleKey != nil && o.RoleKey != nil && *r.RoleKey == *o.RoleKey && *r.Permissions == *o.Permissions
}

// EnsureRoles installs the roles that a shop starts with; those that exist stay as they are, but are given what permissions are new to
// the program (see offerTx).
func (s *Service) EnsureRoles(ctx context.Context) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return ensureRolesTx(ctx, tx) })
}

// fresh are the default permissions that did not exist when a role was offered some. Roles from before that was written down knew
// everything but booking.
func fresh(offered string, defaults []string) (add []string) {
	known := strings.Fields(offered)
	for _, p := range defaults {
		old := slices.Contains(known, p)
		if offered == "" {
			old = !strings.HasPrefix(p, "booking.") && !strings.HasPrefix(p, "roster.")
		}
		if !old {
			add = append(add, p)
		}
	}
	return add
}

func joined(permissions []string) string {
	p := slices.Clone(permissions)
	slices.Sort(p)
	return strings.Join(slices.Compact(p), " ")
}
