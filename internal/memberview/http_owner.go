package memberview

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/tier"
)

// HomeStore is the owner's store.
type HomeStore struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Address   string `json:"address"`
	Phone     string `json:"phone"`
	HoursText string `json:"hoursText"`
}

// Home is everything that the owner's first page shows.
type Home struct {
	Member member.Profile `json:"member"`
	Card   *member.Card   `json:"card,omitempty" doc:"Absent while the application is under review"`
	Tier   tier.Tier      `json:"tier"`
	Wallet Wallet         `json:"wallet"`
	Points int64          `json:"points"`
	Benefits
	Vehicles        []member.Vehicle `json:"vehicles"`
	Records         []Record         `json:"records" doc:"The last three"`
	Store           *HomeStore       `json:"store,omitempty"`
	CharterOutdated bool             `json:"charterOutdated"`
	AsOf            time.Time        `json:"asOf"`
}

// Pulse is what is new since a sequence.
type Pulse struct {
	Seq   int64    `json:"seq" doc:"Ask with this next time"`
	Items []Record `json:"items" doc:"Newest first, at most 10"`
}

type pulseInput struct {
	Since int64 `query:"since" minimum:"0"`
}

type recordsInput struct {
	httpapi.Paging
	Kind string `query:"kind" enum:"topup,consume,reversal,refund,walk_in_tender,adjust,sale,sale_refund"`
}

// Routes registers the operations for owners, staff and the console.
func (s *Service) Routes(r *httpapi.Router) {
	op := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: "/api/owner" + path, Summary: summary, Who: httpapi.Member}
	}
	httpapi.Register(r, op("ownerHome", "/home", "The owner's first page"), s.home)
	httpapi.Register(r, op("ownerPulse", "/pulse", "What is new, polled while a page shows"),
		func(ctx context.Context, in *pulseInput) (Pulse, error) {
			seq, items, err := s.Pulse(ctx, actor.From(ctx).MemberID, in.Since)
			return Pulse{seq, items}, err
		})
	httpapi.Register(r, op("ownerRecords", "/records", "The owner's records, newest first"),
		func(ctx context.Context, in *recordsInput) (httpapi.Page[Record], error) {
			items, next, err := s.Records(ctx, actor.From(ctx).MemberID, in.Kind, in.After, in.Limit)
			return httpapi.Page[Record]{Items: items, Next: next}, err
		})
	httpapi.Register(r, op("ownerSavings", "/savings", "What membership saved me, and what serves me best next"),
		func(ctx context.Context, _ *httpapi.None) (Savings, error) {
			return s.Savings(ctx, actor.From(ctx).MemberID)
		})
	s.staffRoutes(r)
	s.consoleRoutes(r)
}

func (s *Service) home(ctx context.Context, _ *httpapi.None) (h Home, err error) {
	id := actor.From(ctx).MemberID
	h.AsOf = s.db.Now()
	m, err := s.members.Get(ctx, id)
	if err != nil {
		return h, err
	}
	h.Member = member.Profile{ID: m.ID, Name: m.Name, PhoneMasked: member.MaskPhone(m.Phone), Gender: m.Gender, Birthday: m.Birthday, Status: m.Status,
		StatusReason: m.StatusReason, PhoneVerified: m.PhoneVerified, JoinedAt: m.JoinedAt}
	if h.Card, err = s.card(ctx, id); err != nil {
		return h, err
	}
	if h.Tier, err = s.tiers.OfMember(ctx, s.db, id); err != nil {
		return h, err
	}
	held, err := s.holding(ctx, id)
	if err != nil {
		return h, err
	}
	h.Wallet, h.Points = held.Wallet, held.Points
	if h.Benefits, err = s.benefits(ctx, id, held); err != nil {
		return h, err
	}
	if h.Vehicles, err = s.members.Vehicles(ctx, id); err != nil {
		return h, err
	}
	if h.Records, _, err = s.Records(ctx, id, "", "", 3); err != nil {
		return h, err
	}
	if m.StoreID != 0 {
		st, err := s.shops.Store(ctx, m.StoreID)
		if err != nil {
			return h, err
		}
		h.Store = &HomeStore{st.ID, st.Name, st.Address, st.Phone, st.HoursText}
	}
	h.CharterOutdated, err = charterOutdated(ctx, s.db, m.CharterVersion)
	return h, err
}
