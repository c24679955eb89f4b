package booking

import (
	"context"
	"log/slog"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
	"github.com/liangche/liangche/internal/tier"
)

// Deps are the services that this one stands on.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Box      *secret.Box
	Members  *member.Service
	Payments *payment.Service
	Catalog  *catalog.Service
	Tiers    *tier.Service
	Shops    *shop.Service
	Roster   *roster.Service
	Slots    *slot.Service
	Settings *setting.Service
	Messages *notify.Service
}

// Service runs the use cases of this package. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	log      *slog.Logger
	box      *secret.Box
	members  *member.Service
	payments *payment.Service
	offers   *catalog.Service
	tiers    *tier.Service
	shops    *shop.Service
	roster   *roster.Service
	slots    *slot.Service
	settings *setting.Service
	messages *notify.Service
	board    *board
	facts    *db.Lookup[question, facts]
	scenes   fresh.Kept[stage, *scene, copies]
	answers  fresh.Kept[asked, answer, state]
	live

	// What other files of the package add to a change of state, in its transaction, and to what is shown.
	watchers   []func(ctx context.Context, tx *db.Tx, b Booking, from State) error
	decorators []func(ctx context.Context, list []Booking, views []*View) error
}

// New returns the service and registers it as the fulfiller of deposits.
func New(d Deps) *Service {
	s := &Service{db: d.DB, log: d.Log, box: d.Box, members: d.Members, payments: d.Payments, offers: d.Catalog, tiers: d.Tiers, shops: d.Shops, roster: d.Roster,
		slots: d.Slots, settings: d.Settings, messages: d.Messages}
	s.board = newBoard(d.Log, func(ctx context.Context, stores []int64) (map[int64]string, error) {
		return revisions(ctx, s.db, s.db.Now(), stores)
	})
	s.facts = db.NewLookup(d.DB, s.readFacts).InTurn()
	d.Payments.Fulfil(PurposeDeposit, fulfiller{s})
	return s
}

// wish is what is asked for, whoever asks: owner, desk and board search and book through it (N20).
type wish struct {
	policy
	store        shop.Store
	kind         Kind
	channel      string
	memberID     int64
	tier         tier.Tier
	plate        string
	classID      int64
	className    string
	items        []Item
	plan         plan
	price        money.Fen
	technicianID int64
	bayID        int64
	same         bool
	desk         bool // entered by staff: no lead time, no grid, no deposit
}

// what names the services of a wish.
type what struct {
	storeID, memberID, classID int64
	kind                       Kind
	services                   []int64
	technicianID, bayID        int64
	same, desk                 bool
	tier                       *tier.Tier // the member's, when it was read already
}

// wish reads what a search or a booking needs: prices come from a copy at most two seconds old. Faults: shop.inactive, fault.ErrNotFound, ErrClass,
// those of catalog.Terms and of planOf.
func (s *Service) wish(ctx context.Context, in what) (w wish, err error) {
	p, err := s.policy(ctx)
	if err != nil {
		return w, err
	}
	return s.wishUnder(ctx, p, in)
}

func (s *Service) wishUnder(ctx context.Context, p policy, in what) (w wish, err error) {
	w = wish{policy: p, kind: in.kind, memberID: in.memberID, classID: in.classID, technicianID: in.technicianID, bayID: in.bayID, same: in.same, desk: in.desk}
	if w.store, err = s.shops.Open(ctx, in.storeID); err != nil {
		return w, err
	}
	if in.classID == 0 {
		return w, ErrClass.On("vehicleClassId", "必填")
	}
	if w.className, err = s.offers.VehicleClassName(ctx, s.db, in.classID); err != nil {
		return w, err
	}
	w.tier = tier.Tier{DiscountBP: money.Whole}
	if in.tier != nil {
		w.tier = *in.tier
	} else if in.memberID != 0 {
		if w.tier, err = s.tiers.OfMember(ctx, s.db, in.memberID); err != nil {
			return w, err
		}
	}
	var terms []catalog.Term
	if len(in.services) > 0 {
		if terms, err = s.offers.Terms(ctx, s.db, in.storeID, in.classID, in.services); err != nil {
			return w, err
		}
		if w.price, err = s.estimate(ctx, in, w); err != nil {
			return w, err
		}
	}
	w.items = itemsOf(terms)
	w.plan, err = planOf(in.kind, terms, w.travel)
	return w, err
}

// estimate asks the till's own rule what the services would cost this member.
func (s *Service) estimate(ctx context.Context, in what, w wish) (money.Fen, error) {
	refs := make([]catalog.Ref, 0, len(in.services))
	for _, id := range in.services {
		refs = append(refs, catalog.Ref{Kind: catalog.KindService, ID: id, Qty: 1})
	}
	items, err := s.offers.Items(ctx, s.db, in.storeID, in.classID, refs)
	if err != nil {
		return 0, err
	}
	price := pricing.Input{VehicleClass: w.className}
	var fixed map[int64]money.Fen
	if in.memberID != 0 {
		if price.Tier, fixed, err = s.tiers.TermsOf(ctx, s.db, w.tier.ID, in.classID); err != nil {
			return 0, err
		}
	}
	price.Items = checkout.Items(items, fixed)
	p, err := pricing.Decide(price)
	return p.Total, err
}

// lastDay is the last date that may be booked. The desk looks as far as anybody may.
func (w wish) lastDay(now time.Time) string {
	days := w.windowDays
	if w.tier.Priority || w.desk {
		days = max(days, w.priorityDays)
	}
	return bizday.Add(w.store.BizDay(now), max(days, 1)-1)
}

// earliest is the first instant at which a booking may begin.
func (w wish) earliest(now time.Time) time.Time {
	if w.desk {
		return slot.CellOf(now).Time()
	}
	return now.Add(time.Duration(w.lead) * time.Minute)
}

// ask is the wish in the words of slot, for starts within [from, to) as the customer sees them.
func (w wish) ask(now, from, to time.Time) (slot.Ask, error) {
	align, err := midnight(w.store, w.store.BizDay(from))
	lead := slot.Cell(w.plan.lead)
	a := slot.Ask{Needs: w.plan.needs(), Step: max(w.step/slot.CellMinutes, 1), Align: slot.CellOf(align) - lead, Earliest: slot.CellUp(w.earliest(now)) - lead,
		Window: slot.Span{From: slot.CellUp(from) - lead, To: slot.CellUp(to) - lead}, Priority: w.tier.Priority, TechnicianID: w.technicianID}
	if w.releaseHours > 0 {
		a.ReleaseAt = slot.CellOf(now.Add(time.Duration(w.releaseHours) * time.Hour))
	}
	return a, err
}

// reach is the window of a scene for starts in [from, to): the way to the customer before, the work after.
func (w wish) reach(from, to time.Time) (time.Time, time.Time) {
	cell := slot.CellMinutes * time.Minute
	return from.Add(-time.Duration(w.plan.lead) * cell), to.Add(time.Duration(w.plan.cells()) * cell)
}

// freeStarts lists the free starts in [from, to).
func (s *Service) freeStarts(ctx context.Context, w wish, now, from, to time.Time) ([]Slot, error) {
	f, a, err := s.picture(ctx, s.db, w, now, from, to)
	if err != nil {
		return nil, err
	}
	return w.plan.shownAll(f.Starts(a)), nil
}

// maxDue is how many due holds of a store a picture counts as free.
const maxDue = 2000

// picture is the floor of the store for starts in [from, to), due holds counting as free, with the ask for it.
func (s *Service) picture(ctx context.Context, r db.Reader, w wish, now, from, to time.Time, ignore ...int64) (*slot.Floor, slot.Ask, error) {
	a, err := w.ask(now, from, to)
	if err != nil {
		return nil, a, err
	}
	sceneFrom, sceneTo := w.reach(from, to)
	c, err := s.scene(ctx, w.store, sceneFrom, sceneTo, w.bayID)
	if err != nil {
		return nil, a, err
	}
	due, err := dueHolds(ctx, r, w.store.ID, now.UnixMilli(), maxDue, "")
	if err != nil {
		return nil, a, err
	}
	f, err := s.floor(ctx, r, c, append(due, ignore...)...)
	return f, a, err
}

// depositFor is what a booking asks for: what its services say, and more from somebody who did not come repeatedly. why is "" when the services alone
// decide.
func (s *Service) depositFor(ctx context.Context, r db.Reader, w wish, now time.Time) (fen money.Fen, why string, err error) {
	fen = w.plan.deposit
	if why, err = s.unreliable(ctx, r, w.policy, w.memberID, now); err != nil || why == "" {
		return fen, "", err
	}
	return max(fen, w.noShowDeposit), why, nil
}

// noShowPeriod is how long a no-show is remembered.
const noShowPeriod = 90 * 24 * time.Hour

// unreliable says why a member's bookings ask for a deposit, "" when they do not.
func (s *Service) unreliable(ctx context.Context, r db.Reader, p policy, memberID int64, now time.Time) (string, error) {
	if p.noShowLimit == 0 || memberID == 0 {
		return "", nil
	}
	n, err := noShows(ctx, r, memberID, "", now.Add(-noShowPeriod).UnixMilli())
	if err != nil {
		return "", err
	}
	return p.distrust(n), nil
}

// distrust says why the next booking of who did not come so often asks for a deposit, "" when it does not.
func (p policy) distrust(noShows int64) string {
	if p.noShowLimit == 0 || noShows < int64(p.noShowLimit) {
		return ""
	}
	return "近期有几次预约没有到店，预约时请先付定金 " + p.noShowDeposit.Yuan() + "，到店结算时抵扣"
}

// Get reads a booking. memberID is the owner who asks; 0 asks as staff and checks the store. Fault: fault.ErrNotFound, also for other people's.
func (s *Service) Get(ctx context.Context, memberID, id int64) (Booking, error) {
	b, err := bookingByID(ctx, s.db, id, "")
	if err != nil {
		return b, err
	}
	return b, visible(ctx, b, memberID)
}

// visible hides other people's bookings from owners and other stores' from staff.
func visible(ctx context.Context, b Booking, memberID int64) error {
	if memberID != 0 && b.MemberID != memberID || memberID == 0 && !actor.From(ctx).InStore(b.StoreID) {
		return fault.ErrNotFound
	}
	return nil
}
