package outreach

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

// TaskView is a line of the lists. The number is asked for apart: that leaves a trace.
type TaskView struct {
	ID         int64      `json:"id"`
	Kind       string     `json:"kind" enum:"missed,birthday"`
	MemberID   int64      `json:"memberId"`
	Name       string     `json:"name" doc:"Masked"`
	Phone      string     `json:"phone" doc:"Masked"`
	StoreName  string     `json:"storeName" doc:"Where the member was last, or belongs to"`
	Birthday   string     `json:"birthday" doc:"11-18; of birthdays"`
	DueDay     string     `json:"dueDay" doc:"The last visit, or this year's birthday"`
	LastDay    string     `json:"lastDay" doc:"Of the last visit; empty: none"`
	SilentDays int        `json:"silentDays" doc:"Days since the last visit"`
	Visits     int        `json:"visits"`
	RhythmDays int        `json:"rhythmDays" doc:"Usual days between visits; 0: not known"`
	BalanceFen money.Fen  `json:"balanceFen"`
	Points     int64      `json:"points"`
	Passes     int        `json:"passes"`
	Coupons    int        `json:"coupons"`
	MayCall    bool       `json:"mayCall"`
	MayText    bool       `json:"mayText" doc:"Consented to offers by SMS"`
	FromMinute int        `json:"fromMinute" doc:"Likes to be reached from this minute of the day on; equal to toMinute: at any hour"`
	ToMinute   int        `json:"toMinute"`
	State      string     `json:"state" enum:"open,handled,back,gone"`
	Outcome    string     `json:"outcome" enum:"coming,considering,no_answer,refused,wrong_number,greeted,other,"`
	Tries      int        `json:"tries"`
	Note       string     `json:"note"`
	Coupon     string     `json:"coupon" doc:"Name of what was given"`
	BackDay    string     `json:"backDay" doc:"When the member came back after the call; empty: not yet"`
	StaffName  string     `json:"staffName"`
	TextedAt   *time.Time `json:"textedAt,omitempty"`
	HandledAt  *time.Time `json:"handledAt,omitempty"`
}

type taskListInput struct {
	httpapi.Paging
	Kind  string `query:"kind" enum:"missed,birthday" default:"missed"`
	State string `query:"state" enum:"open,handled" default:"open"`
	Month string `query:"month" maxLength:"7" doc:"Of birthdays, 2026-11"`
}

// Phone is a number to dial.
type Phone struct {
	Phone string `json:"phone"`
}

// Texted says that a text is on its way.
type Texted struct {
	OK bool `json:"ok"`
}

// Gifts are the coupons that staff may give.
type Gifts struct {
	Items []Gift `json:"items"`
}

// Routes registers the operations of the console and of the staff app.
func (s *Service) Routes(r *httpapi.Router) {
	s.listRoutes(r, "console", "/api/console", httpapi.Console)
	s.listRoutes(r, "staff", "/api/staff", httpapi.Staff)
	s.consoleRoutes(r)
	s.massRoutes(r)
}

// listRoutes are the same for who sits at the console and who stands at the desk.
func (s *Service) listRoutes(r *httpapi.Router, prefix, path string, who httpapi.Who) {
	op := func(id, method, at, summary string) httpapi.Op {
		return httpapi.Op{ID: prefix + "Outreach" + id, Method: method, Path: path + "/outreach" + at, Summary: summary, Who: who, Permission: perm.MessageCall}
	}
	httpapi.Register(r, op("List", http.MethodGet, "/tasks", "Members who stay away, or have a birthday in the month"), s.page)
	httpapi.Register(r, op("Summary", http.MethodGet, "/summary", "What is open, and what came of the calls"),
		func(ctx context.Context, _ *httpapi.None) (Summary, error) { return s.Summary(ctx) })
	httpapi.Register(r, op("Gifts", http.MethodGet, "/gifts", "Coupons that may be given from the lists"),
		func(ctx context.Context, _ *httpapi.None) (Gifts, error) {
			list, err := s.Gifts(ctx)
			return Gifts{list}, err
		})
	httpapi.Register(r, op("Dial", http.MethodPost, "/tasks/{id}/dial", "The number to call; leaves a trace"),
		func(ctx context.Context, in *httpapi.ByID) (Phone, error) {
			phone, err := s.Dial(ctx, in.ID)
			return Phone{phone}, err
		})
	httpapi.Register(r, op("Text", http.MethodPost, "/tasks/{id}/text", "Send the shop's short message, with consent and once"),
		func(ctx context.Context, in *httpapi.ByID) (Texted, error) {
			err := s.Text(ctx, in.ID)
			return Texted{err == nil}, err
		})
	handle := op("Handle", http.MethodPost, "/tasks/{id}/result", "What came of it, with a coupon")
	handle.Idempotent = true
	httpapi.Register(r, handle, func(ctx context.Context, in *httpapi.ByIDBody[Result]) (TaskView, error) {
		l, err := s.Handle(ctx, in.ID, in.Body)
		if err != nil {
			return TaskView{}, err
		}
		return s.view(ctx, l), nil
	})
}

func (s *Service) page(ctx context.Context, in *taskListInput) (page httpapi.Page[TaskView], err error) {
	f := Filter{Kind: in.Kind, State: in.State, Month: in.Month, Limit: in.Limit}
	if day, id, ok := strings.Cut(in.After, "."); ok {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && len(day) == 10 {
			f.After = cursor{day, n} // a cursor that is none starts anew
		}
	}
	list, next, err := s.Lines(ctx, f)
	for _, l := range list {
		page.Items = append(page.Items, s.view(ctx, l))
	}
	if next.id != 0 {
		page.Next = next.day + "." + strconv.FormatInt(next.id, 10)
	}
	return page, err
}

func (s *Service) view(ctx context.Context, l Line) TaskView {
	v := TaskView{ID: l.ID, Kind: l.Kind, MemberID: l.MemberID, Name: l.Name, Phone: l.Phone, Birthday: l.Birthday, DueDay: l.DueDay, LastDay: l.LastDay, Visits: l.Visits,
		RhythmDays: l.RhythmDays, BalanceFen: l.Holding.BalanceFen, Points: l.Holding.Points, Passes: l.Holding.Passes, Coupons: l.Holding.Coupons, MayCall: l.MayCall, MayText: l.MayText,
		FromMinute: l.FromMinute, ToMinute: l.ToMinute, State: l.State, Outcome: l.Outcome, Tries: l.Tries, Note: l.Note, Coupon: l.Coupon, BackDay: l.BackDay, StaffName: l.StaffName,
		TextedAt: clock.Pointer(l.TextedAt), HandledAt: clock.Pointer(l.HandledAt)}
	if l.LastDay != "" {
		v.SilentDays = max(daysFrom(l.LastDay, s.today()), 0)
	}
	if st, err := s.Shops.Store(ctx, l.StoreID); err == nil {
		v.StoreName = st.Name // a store that is gone has none
	}
	return v
}
