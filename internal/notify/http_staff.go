package notify

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// CallView is a line of the call list. The number is asked for apart: that leaves a trace.
type CallView struct {
	ID         int64      `json:"id"`
	MessageID  int64      `json:"messageId"`
	MemberID   int64      `json:"memberId"`
	Name       string     `json:"name" doc:"Masked"`
	Phone      string     `json:"phone" doc:"Masked"`
	Event      string     `json:"event"`
	EventTitle string     `json:"eventTitle"`
	Body       string     `json:"body" doc:"What to say"`
	Reason     string     `json:"reason" doc:"Why no message went out"`
	State      string     `json:"state" enum:"open,done,skipped"`
	Note       string     `json:"note"`
	StaffName  string     `json:"staffName"`
	CreatedAt  time.Time  `json:"createdAt"`
	DoneAt     *time.Time `json:"doneAt,omitempty"`
	FromMinute int        `json:"fromMinute" doc:"The member likes to be reached from this minute of the day on; equal to toMinute: at any hour"`
	ToMinute   int        `json:"toMinute"`
}

type callListInput struct {
	httpapi.Paging
	State string `query:"state" enum:"open,done,skipped" default:"open"`
}

// CallNote is what was said.
type CallNote struct {
	Note string `json:"note,omitempty" maxLength:"200"`
}

// CallPhone is a number to dial.
type CallPhone struct {
	Phone string `json:"phone"`
}

// CallCount is how many lines are open.
type CallCount struct {
	Open int `json:"open"`
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/staff/calls" + path, Summary: summary, Who: httpapi.Staff, Permission: perm.MessageCall}
	}
	httpapi.Register(r, op("staffCallList", http.MethodGet, "", "Members whom no message reached"),
		func(ctx context.Context, in *callListInput) (page httpapi.Page[CallView], err error) {
			after, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts anew
			calls, next, err := s.Calls(ctx, in.State, max(after, 0), in.Limit)
			for _, c := range calls {
				page.Items = append(page.Items, viewCall(c))
			}
			page.Next = cursor(next)
			return page, err
		})
	httpapi.Register(r, op("staffCallCount", http.MethodGet, "/count", "How many are open"),
		func(ctx context.Context, _ *httpapi.None) (CallCount, error) {
			n, err := s.OpenCalls(ctx)
			return CallCount{n}, err
		})
	httpapi.Register(r, op("staffCallDial", http.MethodPost, "/{id}/dial", "The number to call; leaves a trace"),
		func(ctx context.Context, in *httpapi.ByID) (CallPhone, error) {
			phone, err := s.DialCall(ctx, in.ID)
			return CallPhone{phone}, err
		})
	end := func(state string) func(ctx context.Context, in *httpapi.ByIDBody[CallNote]) (CallCount, error) {
		return func(ctx context.Context, in *httpapi.ByIDBody[CallNote]) (CallCount, error) {
			if err := s.EndCall(ctx, in.ID, state, in.Body.Note); err != nil {
				return CallCount{}, err
			}
			n, err := s.OpenCalls(ctx)
			return CallCount{n}, err
		}
	}
	httpapi.Register(r, op("staffCallDone", http.MethodPost, "/{id}/done", "Somebody was told"), end(CallDone))
	httpapi.Register(r, op("staffCallSkip", http.MethodPost, "/{id}/skip", "Nobody needs to be told any more"), end(CallSkipped))
}

func cursor(id int64) string {
	if id == 0 {
		return ""
	}
	return itoa(id)
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func titleOf(event string) string {
	if e, ok := eventInfo(event); ok {
		return e.Title
	}
	return "消息"
}

func viewCall(c Call) CallView {
	return CallView{ID: c.ID, MessageID: c.MessageID, MemberID: c.MemberID, Name: c.Contact.Name, Phone: c.Contact.Phone, Event: c.Event, EventTitle: titleOf(c.Event), Body: c.Body,
		Reason: c.Reason, State: c.State, Note: c.Note, StaffName: c.StaffName, CreatedAt: c.CreatedAt, DoneAt: when(c.DoneAt), FromMinute: c.Hours[0], ToMinute: c.Hours[1]}
}
