package pass

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// LineView is a part of a pass with its own count.
type LineView struct {
	ID         int64     `json:"id"`
	Title      string    `json:"title"`
	ServiceIDs []int64   `json:"serviceIds"`
	GoodIDs    []int64   `json:"goodIds"`
	Counted    bool      `json:"counted" doc:"False: as often as the period and the limit a day allow"`
	Times      int64     `json:"times"`
	Left       int64     `json:"left"`
	Used       int64     `json:"used"`
	ListFen    money.Fen `json:"listFen" doc:"Agreed price of a single use"`
}

// View is a pass as its holder and the shop see it.
type View struct {
	ID             int64      `json:"id"`
	No             string     `json:"no"`
	PlanID         int64      `json:"planId"`
	Name           string     `json:"name"`
	Kind           string     `json:"kind" enum:"times,period,unlimited"`
	State          string     `json:"state" enum:"active,paused,used,expired,refunded"`
	Why            string     `json:"why,omitempty" doc:"Why it cannot be used now, stores and plates aside"`
	Source         string     `json:"source" enum:"sale,renewal,gift"`
	PaidFen        money.Fen  `json:"paidFen"`
	StartsAt       time.Time  `json:"startsAt"`
	ExpiresAt      *time.Time `json:"expiresAt,omitempty" doc:"Absent: never"`
	LastDay        string     `json:"lastDay,omitempty" doc:"YYYY-MM-DD"`
	Lines          []LineView `json:"lines"`
	Plates         []string   `json:"plates"`
	PlateLimit     int64      `json:"plateLimit" doc:"0: not bound to plates"`
	NextPlateOn    string     `json:"nextPlateOn,omitempty" doc:"From this day on a plate may be changed"`
	StoreIDs       []int64    `json:"storeIds" doc:"Empty means every store"`
	PausedAt       *time.Time `json:"pausedAt,omitempty"`
	PauseUntil     *time.Time `json:"pauseUntil,omitempty" doc:"It runs again by itself"`
	PauseDaysLeft  int64      `json:"pauseDaysLeft"`
	Recharge       *Recharge  `json:"recharge,omitempty" doc:"Present when times may be added now"`
	Renew          *Renew     `json:"renew,omitempty" doc:"Present when it can follow itself"`
	RenewOn        bool       `json:"renewOn"`
	RenewNote      string     `json:"renewNote,omitempty"`
	CanGift        bool       `json:"canGift"`
	GiftCode       string     `json:"giftCode,omitempty" doc:"While it waits to be claimed; only its holder sees it"`
	GiftUntil      *time.Time `json:"giftUntil,omitempty"`
	Received       bool       `json:"received" doc:"Somebody gave it to the holder"`
	CanRefund      bool       `json:"canRefund"`
	Explain        []string   `json:"explain" doc:"The frozen terms in sentences"`
	RefundedAmount money.Fen  `json:"refundedFen,omitempty"`
}

// UseView is one use of a pass.
type UseView struct {
	At       time.Time `json:"at"`
	Title    string    `json:"title"`
	Qty      int64     `json:"qty"`
	OrderID  int64     `json:"orderId"`
	Plate    string    `json:"plate"`
	Store    string    `json:"store"`
	Upgraded bool      `json:"upgraded"`
	Undone   bool      `json:"undone"`
}

// EventView is something that happened to a pass.
type EventView struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind" doc:"sale, renewal, gift, recharge, pause, resume, extend, plate, claim, expire, refund"`
	Detail string    `json:"detail"`
	By     string    `json:"by"`
}

// Detail is a pass with its terms and history.
type Detail struct {
	View
	Terms  Terms       `json:"terms"`
	Uses   []UseView   `json:"uses" doc:"Newest first, 200 at most"`
	Events []EventView `json:"events" doc:"Newest first"`
}

// view shows a pass at an instant; holder says whether its holder looks.
func view(p Pass, now time.Time, holder bool) View {
	v := View{ID: p.ID, No: p.No, PlanID: p.PlanID, Name: p.Name, Kind: p.Kind, State: p.State, Source: p.Source, PaidFen: p.PaidFen, StartsAt: p.StartsAt, Plates: p.Plates,
		PlateLimit: p.Terms.Plates, StoreIDs: p.Terms.StoreIDs, RenewOn: p.RenewOn, RenewNote: p.RenewNote, Received: p.GivenBy != 0, Explain: p.Terms.Explain()}
	open := p.State == StateActive || p.State == StatePaused
	if p.State == StateActive && p.expired(now) { // the job has not come by yet
		v.State, open = StateExpired, false
	}
	bare := p
	bare.Terms.StoreIDs, bare.Terms.Plates = nil, 0
	v.Why = bare.why(0, "", now)
	if !p.ExpiresAt.IsZero() {
		v.ExpiresAt, v.LastDay = &p.ExpiresAt, lastDay(p.ExpiresAt)
		v.PauseDaysLeft = max(p.Terms.PauseDays-int64(p.Paused/day), 0)
	}
	for _, l := range p.Lines {
		v.Lines = append(v.Lines, LineView{l.ID, l.Title, l.ServiceIDs, l.GoodIDs, l.Counted, l.Times, l.Left, l.Used, l.ListFen})
	}
	if !p.PlateAt.IsZero() {
		v.NextPlateOn = p.PlateAt.Add(time.Duration(p.Terms.PlateDays) * day).In(zone()).Format(time.DateOnly)
	}
	if p.State == StatePaused {
		v.PausedAt, v.PauseUntil = &p.PausedAt, &p.PauseUntil
	}
	if rechargeable(p, p.MemberID, now) == nil {
		v.Recharge = p.Terms.Recharge
	}
	if open {
		v.Renew = p.Terms.Renew
	}
	v.CanGift = p.giftable(now) == nil && !p.gifting(now)
	v.CanRefund = open && p.PaidFen > 0
	if p.gifting(now) {
		v.GiftUntil = &p.GiftUntil
		if holder {
			v.GiftCode = p.GiftCode
		}
	}
	return v
}

func views(list []Pass, now time.Time, holder bool) []View {
	out := make([]View, 0, len(list))
	for _, p := range list {
		out = append(out, view(p, now, holder))
	}
	return out
}

// detail shows a pass with its uses and history.
func (s *Service) detail(ctx context.Context, p Pass, holder bool) (Detail, error) {
	d := Detail{View: view(p, s.db.Now(), holder), Terms: p.Terms}
	uses, err := usesOf(ctx, s.db, p.ID, 200)
	if err != nil {
		return d, err
	}
	for _, u := range uses {
		x := UseView{At: clock.Maybe(u.CreatedAt), Qty: u.Qty, OrderID: u.OrderID, Plate: u.Plate, Upgraded: u.Upgraded, Undone: u.Undone}
		for _, l := range p.Lines {
			if l.ID == u.LineID {
				x.Title = l.Title
			}
		}
		if st, err := s.shops.Store(ctx, u.StoreID); err == nil {
			x.Store = st.Name
		}
		d.Uses = append(d.Uses, x)
	}
	events, err := eventsOf(ctx, s.db, p.ID, 100)
	for _, e := range events {
		d.Events = append(d.Events, EventView{clock.Maybe(e.CreatedAt), e.Kind, e.Detail, e.ActorName})
	}
	if err != nil {
		return d, err
	}
	d.RefundedAmount, err = s.refunded(ctx, s.db, p)
	return d, err
}

// refunded is what went back of a pass.
func (s *Service) refunded(ctx context.Context, r db.Reader, p Pass) (sum money.Fen, err error) {
	funds, _, err := s.funds(ctx, r, p.ID)
	for _, f := range funds {
		sum += f.RefundedFen
	}
	return sum, err
}
