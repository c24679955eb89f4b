package notify

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// EntryView is a message of the log.
type EntryView struct {
	ID         int64      `json:"id"`
	MemberID   int64      `json:"memberId"`
	Name       string     `json:"name" doc:"Masked"`
	Phone      string     `json:"phone" doc:"Masked"`
	Event      string     `json:"event"`
	EventTitle string     `json:"eventTitle"`
	Summary    string     `json:"summary"`
	State      string     `json:"state" enum:"queued,held,sending,sent,delivered,refused,unreachable,called,failed,dead,off,capped,stale"`
	Detail     string     `json:"detail"`
	Channel    string     `json:"channel" enum:"mini_program,official_account,sms," doc:"Of the last try"`
	Attempts   int        `json:"attempts"`
	CreatedAt  time.Time  `json:"createdAt"`
	DoneAt     *time.Time `json:"doneAt,omitempty"`
	DueAt      *time.Time `json:"dueAt,omitempty" doc:"Not before, while it waits"`
	Resendable bool       `json:"resendable"`
}

// StepView is a line of a message's history.
type StepView struct {
	Channel string    `json:"channel"`
	Outcome string    `json:"outcome"`
	Code    string    `json:"code"`
	Detail  string    `json:"detail"`
	At      time.Time `json:"at"`
}

// ValueView is one value that a message carries.
type ValueView struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// MessageView is a message with its history.
type MessageView struct {
	EntryView
	Steps  []StepView  `json:"steps"`
	Values []ValueView `json:"values"`
}

type logInput struct {
	httpapi.Paging
	State    string `query:"state" enum:"queued,held,sending,sent,delivered,refused,unreachable,called,failed,dead,off,capped,stale"`
	Event    string `query:"event" maxLength:"32"`
	MemberID int64  `query:"memberId" minimum:"0"`
	From     string `query:"from" maxLength:"10" doc:"Business date; 13 days ago unless told"`
	To       string `query:"to" maxLength:"10" doc:"Business date, included; today unless told"`
}

// ResendAsk names messages to send again.
type ResendAsk struct {
	IDs []int64 `json:"ids" minItems:"1" maxItems:"100"`
}

// Resent says how many are on their way again.
type Resent struct {
	Count int `json:"count"`
}

type statsInput struct {
	Days int `query:"days" default:"14" minimum:"1" maximum:"92"`
}

// StatsView is what became of messages, by day, channel and outcome.
type StatsView struct {
	Days []DayCount `json:"days"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleMessageList", http.MethodGet, "/messages", "Messages, newest first", perm.MessageRead),
		func(ctx context.Context, in *logInput) (page httpapi.Page[EntryView], err error) {
			after, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
			all, next, err := s.Log(ctx, LogFilter{State: in.State, Event: in.Event, MemberID: in.MemberID, From: in.From, To: in.To, After: max(after, 0), Limit: in.Limit})
			for _, e := range all {
				page.Items = append(page.Items, viewEntry(e))
			}
			page.Next = cursor(next)
			return page, err
		})
	httpapi.Register(r, op("consoleMessage", http.MethodGet, "/messages/{id}", "A message with its history", perm.MessageRead),
		func(ctx context.Context, in *httpapi.ByID) (MessageView, error) { return s.view(ctx, in.ID) })
	httpapi.Register(r, op("consoleMessageResend", http.MethodPost, "/messages/resend", "Send ended messages again", perm.MessageWrite),
		func(ctx context.Context, in *httpapi.Body[ResendAsk]) (Resent, error) {
			return Resent{len(in.Body.IDs)}, s.Resend(ctx, in.Body.IDs)
		})
	httpapi.Register(r, op("consoleMessageStats", http.MethodGet, "/messages/stats", "What became of messages, day by day", perm.MessageRead),
		func(ctx context.Context, in *statsInput) (StatsView, error) {
			days, err := s.Stats(ctx, in.Days)
			return StatsView{days}, err
		})
	httpapi.Register(r, op("consoleMessagePreference", http.MethodGet, "/members/{id}/message-preference", "What a member wants to be told", perm.MemberRead),
		func(ctx context.Context, in *httpapi.ByID) (Choices, error) {
			p, err := s.preferenceOf(ctx, in.ID)
			return s.choices(p), err
		})
	httpapi.Register(r, op("consoleMessagePreferencePut", http.MethodPut, "/members/{id}/message-preference", "Set what a member wants to be told, at the member's wish", perm.MemberWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[Preference]) (Choices, error) {
			if err := s.exists(ctx, in.ID); err != nil {
				return Choices{}, err
			}
			p, err := s.SetPreference(ctx, in.ID, in.Body)
			return s.choices(p), err
		})
}

func viewEntry(e Entry) EntryView {
	return EntryView{ID: e.ID, MemberID: e.MemberID, Name: e.Contact.Name, Phone: e.Contact.Phone, Event: e.Event, EventTitle: titleOf(e.Event), Summary: e.Summary, State: e.State,
		Detail: e.Detail, Channel: e.Channel, Attempts: e.Attempts, CreatedAt: e.CreatedAt, DoneAt: when(e.DoneAt), DueAt: when(e.DueAt), Resendable: e.resendable()}
}

func (s *Service) view(ctx context.Context, id int64) (MessageView, error) {
	e, steps, data, err := s.Message(ctx, id)
	if err != nil {
		return MessageView{}, err
	}
	out := MessageView{EntryView: viewEntry(e), Steps: []StepView{}, Values: []ValueView{}}
	for _, x := range steps {
		out.Steps = append(out.Steps, StepView(x))
	}
	info, _ := eventInfo(e.Event)
	for _, f := range info.Fields {
		if v := data[f.Name]; v != "" {
			out.Values = append(out.Values, ValueView{f.Label, value(Field{Key: "x", From: f.Name}, data, s.opt.Zone)})
		}
	}
	return out, nil
}
