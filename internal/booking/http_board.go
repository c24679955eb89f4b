package booking

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

// SpanView is a stretch of time, To not included.
type SpanView struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// BoardTechnician is a row of the board.
type BoardTechnician struct {
	ID      int64       `json:"id"`
	Name    string      `json:"name"`
	Skills  []SkillView `json:"skills"`
	Working []SpanView  `json:"working"`
}

// BlockView is time of a bay or technician that nobody can book.
type BlockView struct {
	ID           int64     `json:"id"`
	StoreID      int64     `json:"storeId"`
	ResourceID   int64     `json:"resourceId"`
	ResourceKind string    `json:"resourceKind" enum:"bay,technician"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Reason       string    `json:"reason"`
	ByName       string    `json:"byName"`
	BookingIDs   []int64   `json:"bookingIds" doc:"Just after it was made with force: whose time lies in it"`
}

// Board is a store's day, or week, in one picture.
type Board struct {
	Now         time.Time         `json:"now"`
	Day         string            `json:"day"`
	Days        int               `json:"days"`
	CellMinutes int               `json:"cellMinutes"`
	Open        []SpanView        `json:"open"`
	Bays        []BayChoice       `json:"bays"`
	Technicians []BoardTechnician `json:"technicians"`
	Bookings    []DeskView        `json:"bookings"`
	Blocks      []BlockView       `json:"blocks"`
	Queue       []DeskView        `json:"queue"`
	Waits       []WaitView        `json:"waits"`
	Problems    []Problem         `json:"problems"`
	Revision    string            `json:"revision" doc:"Another one, another board; see the events"`
}

// Changed is the data of the event of the same name.
type Changed struct {
	Revision string `json:"revision"`
}

// BlockAsk closes a bay, or gives a technician leave, for a while.
type BlockAsk struct {
	StoreID      int64     `json:"storeId" minimum:"1"`
	ResourceID   int64     `json:"resourceId" minimum:"1"`
	ResourceKind string    `json:"resourceKind,omitempty" enum:"bay,technician" doc:"Found by the id when absent"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Reason       string    `json:"reason" minLength:"1" maxLength:"100"`
	Force        bool      `json:"force,omitempty" doc:"Also where bookings are: they stay, and are listed with their problem"`
}

type boardInput struct {
	StoreID int64  `query:"storeId" required:"true" minimum:"1"`
	Day     string `query:"day" maxLength:"10" doc:"YYYY-MM-DD, today when absent"`
	Days    int    `query:"days" default:"1" minimum:"1" maximum:"7"`
}

type blocksInput struct {
	StoreID int64     `query:"storeId" required:"true" minimum:"1"`
	From    time.Time `query:"from" required:"true"`
	To      time.Time `query:"to" required:"true"`
}

func (s *Service) boardRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleBoard", http.MethodGet, "/board", "Bays, technicians and bookings of a day or a week", perm.BookingRead), s.boardOf)
	httpapi.Stream(r, op("consoleBoardEvents", http.MethodGet, "/board/events", "Says when the board of a store has changed", perm.BookingRead), s.follow)
	httpapi.Register(r, op("consoleBookingProblems", http.MethodGet, "/booking/problems", "Bookings that no longer fit, each with another place", perm.BookingRead),
		func(ctx context.Context, in *storeInput) (httpapi.Page[Problem], error) {
			items, err := s.Problems(ctx, in.StoreID)
			return httpapi.Page[Problem]{Items: items}, err
		})
	httpapi.Register(r, op("consoleBlockList", http.MethodGet, "/blocks", "Closed bays and leave", perm.BookingRead),
		func(ctx context.Context, in *blocksInput) (httpapi.Page[BlockView], error) {
			if !actor.From(ctx).InStore(in.StoreID) {
				return httpapi.Page[BlockView]{}, fault.ErrStore
			}
			items, err := s.blockViews(ctx, in.StoreID, in.From, in.To)
			return httpapi.Page[BlockView]{Items: items}, err
		})
	httpapi.Register(r, op("consoleBlockCreate", http.MethodPost, "/blocks", "Close a bay or give a technician leave for a while", perm.BookingOverride),
		func(ctx context.Context, in *httpapi.Body[BlockAsk]) (BlockView, error) { return s.Block(ctx, in.Body) })
	httpapi.Register(r, op("consoleBlockRemove", http.MethodPost, "/blocks/{id}/remove", "Open it again", perm.BookingOverride),
		func(ctx context.Context, in *httpapi.ByID) (BlockView, error) { return s.Unblock(ctx, in.ID) })
}

func blockView(b slot.Block) BlockView {
	return BlockView{ID: b.ID, StoreID: b.StoreID, ResourceID: b.ResourceID, ResourceKind: b.ResourceKind, From: b.From, To: b.To, Reason: b.Reason, ByName: b.ByName}
}

func (s *Service) blockViews(ctx context.Context, storeID int64, from, to time.Time) ([]BlockView, error) {
	list, err := s.slots.Blocks(ctx, storeID, from, to)
	out := make([]BlockView, 0, len(list))
	for _, b := range list {
		out = append(out, blockView(b))
	}
	return out, err
}

func spanViews(in []shop.Span) []SpanView {
	out := make([]SpanView, 0, len(in))
	for _, x := range in {
		out = append(out, SpanView{x.From.UTC(), x.To.UTC()})
	}
	return out
}

// follow streams the revision of a store's board. Fault: fault.ErrStore.
func (s *Service) follow(ctx context.Context, in *storeInput) (httpapi.Feed, error) {
	still := func(ctx context.Context) error {
		if !actor.From(ctx).InStore(in.StoreID) {
			return fault.ErrStore
		}
		return nil
	}
	if err := still(ctx); err != nil {
		return httpapi.Feed{}, err
	}
	news, events := s.board.follow(ctx, in.StoreID), make(chan httpapi.Event)
	go func() {
		defer close(events)
		for {
			select {
			case <-ctx.Done():
				return
			case r := <-news:
				select {
				case <-ctx.Done():
					return
				case events <- httpapi.Event{Name: "changed", Data: Changed{r}}:
				}
			}
		}
	}()
	return httpapi.Feed{Events: events, Still: still}, nil
}

// boardOf reads the board. Its revision is read first: what changes meanwhile makes another one. Faults: fault.ErrStore, fault.ErrInvalid.
func (s *Service) boardOf(ctx context.Context, in *boardInput) (b Board, err error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return b, fault.ErrStore
	}
	store, err := s.shops.Store(ctx, in.StoreID)
	if err != nil {
		return b, err
	}
	b = Board{Now: s.db.Now(), Day: in.Day, Days: in.Days, CellMinutes: slot.CellMinutes}
	if b.Day == "" {
		b.Day = store.BizDay(b.Now)
	}
	if !bizday.Valid(b.Day) {
		return b, fault.ErrInvalid.On("day", "应为日期，如 2026-01-31")
	}
	seen, err := revisions(ctx, s.db, b.Now, []int64{store.ID})
	if err != nil {
		return b, err
	}
	b.Revision = seen[store.ID]
	from, err := midnight(store, b.Day)
	if err != nil {
		return b, err
	}
	to, err := midnight(store, bizday.Add(b.Day, b.Days))
	if err != nil {
		return b, err
	}
	if err := s.boardRows(ctx, &b, store, from, to); err != nil {
		return b, err
	}
	list, err := onFloor(ctx, s.db, store.ID, int64(slot.CellOf(from)), int64(slot.CellUp(to)))
	if err != nil {
		return b, err
	}
	if b.Bookings, err = s.deskViews(ctx, list); err != nil {
		return b, err
	}
	if b.Blocks, err = s.blockViews(ctx, store.ID, from, to); err != nil {
		return b, err
	}
	if b.Queue, err = s.queueOf(ctx, store.ID); err != nil {
		return b, err
	}
	waits, err := waitingIn(ctx, s.db, store.ID)
	if err != nil {
		return b, err
	}
	if b.Waits, err = s.waitViews(ctx, waits, true); err != nil {
		return b, err
	}
	b.Problems, err = s.Problems(ctx, store.ID)
	return b, err
}

// boardRows adds what the board's rows are: bays and technicians with their hours.
func (s *Service) boardRows(ctx context.Context, b *Board, store shop.Store, from, to time.Time) error {
	open, err := s.shops.OpenSpans(ctx, store.ID, from, to)
	if err != nil {
		return err
	}
	b.Open = spanViews(open)
	bays, err := s.shops.Bays(ctx, store.ID)
	if err != nil {
		return err
	}
	for _, x := range bays {
		b.Bays = append(b.Bays, BayChoice{x.ID, x.Name, x.Kind, x.Priority, x.Active})
	}
	people, err := s.roster.Technicians(ctx, store.ID)
	if err != nil {
		return err
	}
	working, err := s.roster.Working(ctx, store.ID, from, to)
	if err != nil {
		return err
	}
	for _, t := range people {
		if !t.Active || (!t.Bookable && len(working[t.StaffID]) == 0) {
			continue
		}
		x := BoardTechnician{ID: t.StaffID, Name: t.Name, Working: spanViews(working[t.StaffID])}
		for _, k := range t.Skills {
			x.Skills = append(x.Skills, SkillView{k.Skill, k.Level})
		}
		b.Technicians = append(b.Technicians, x)
	}
	return nil
}
