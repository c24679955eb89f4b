package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/id"
	"github.com/liangche/liangche/internal/jobs"
)

// LogFilter picks messages of the log. Empty fields do not count; days are business dates, both included.
type LogFilter struct {
	State    string
	Event    string
	MemberID int64
	From, To string
	After    int64
	Limit    int
}

// Entry is a message as the log shows it.
type Entry struct {
	ID        int64
	MemberID  int64
	Contact   Contact
	Event     string
	Summary   string
	State     string
	Detail    string
	Channel   string
	Attempts  int
	CreatedAt time.Time
	DoneAt    time.Time // zero while it is open
	DueAt     time.Time // zero unless it waits
}

func (e Entry) resendable() bool { return slices.Contains(resendable, e.State) && e.Summary != "" }

// Step is a line of a message's history.
type Step struct {
	Channel, Outcome, Code, Detail string
	At                             time.Time
}

// common are states that most messages are in: a scan finds them quickly, the others are found by their steps.
var common = []string{"", Queued, Sending, Sent, Delivered}

// Log lists messages, newest first. next is the id to go on after, 0 on the last page.
func (s *Service) Log(ctx context.Context, f LogFilter) (out []Entry, next int64, err error) {
	from, until, err := s.span(f)
	if err != nil {
		return nil, 0, err
	}
	var rows []messageRow
	if slices.Contains(common, f.State) || f.MemberID != 0 {
		rows, err = listMessages(ctx, s.db, f, from, until, f.Limit+1)
	} else {
		rows, err = s.rare(ctx, f, from, until)
	}
	if err != nil {
		return nil, 0, err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = rows[f.Limit-1].ID
	}
	out, err = s.entries(ctx, rows)
	return out, next, err
}

// span turns the days of a filter into a range of ids: an id begins with its time.
func (s *Service) span(f LogFilter) (from, until int64, err error) {
	now := s.db.Now()
	first, _, err := bizday.Bounds(or(f.From, bizday.Of(now.AddDate(0, 0, -13), s.opt.Zone)), s.opt.Zone)
	if err != nil {
		return 0, 0, fault.ErrInvalid.On("from", "请填写日期")
	}
	_, last, err := bizday.Bounds(or(f.To, bizday.Of(now, s.opt.Zone)), s.opt.Zone)
	if err != nil {
		return 0, 0, fault.ErrInvalid.On("to", "请填写日期")
	}
	if last.Before(first) || last.Sub(first) > 400*24*time.Hour {
		return 0, 0, fault.ErrInvalid.On("to", "日期范围最多 400 天")
	}
	from, until = id.First(first), id.First(last)
	if f.After != 0 && f.After < until {
		until = f.After
	}
	return from, until, nil
}

func (s *Service) rare(ctx context.Context, f LogFilter, from, until int64) (out []messageRow, err error) {
	for len(out) <= f.Limit {
		ids, err := endedIDs(ctx, s.db, f.State, from, until, 200)
		if err != nil || len(ids) == 0 {
			return out, err
		}
		rows, err := messagesByID(ctx, s.db, ids)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			if m.State == f.State && (f.Event == "" || m.Event == f.Event) {
				out = append(out, m)
			}
		}
		until = ids[len(ids)-1]
	}
	return out, nil
}

func (s *Service) entries(ctx context.Context, rows []messageRow) ([]Entry, error) {
	ids := make([]int64, 0, len(rows))
	for _, m := range rows {
		ids = append(ids, m.MemberID)
	}
	contacts, err := s.contacts(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(rows))
	for _, m := range rows {
		e, _ := eventInfo(m.Event)
		var data map[string]string
		_ = json.Unmarshal([]byte(m.Data), &data) // what cannot be read shows its title alone
		x := Entry{ID: m.ID, MemberID: m.MemberID, Contact: contacts[m.MemberID], Event: m.Event, Summary: summary(e, data, s.opt.Zone), State: m.State, Detail: m.Detail,
			Channel: m.Channel, Attempts: m.Attempts, CreatedAt: clock.FromMillis(m.CreatedAt)}
		if m.DoneAt != nil {
			x.DoneAt = clock.FromMillis(*m.DoneAt)
		}
		if m.DueAt != 0 && (m.State == Queued || m.State == Held) {
			x.DueAt = clock.FromMillis(m.DueAt)
		}
		out = append(out, x)
	}
	return out, nil
}

// Message reads one message with its history and what it said. Fault: request.not_found.
func (s *Service) Message(ctx context.Context, id int64) (Entry, []Step, map[string]string, error) {
	m, err := readMessage(ctx, s.db, id, "")
	if errors.Is(err, db.ErrNoRows) {
		return Entry{}, nil, nil, fault.ErrNotFound
	}
	if err != nil {
		return Entry{}, nil, nil, err
	}
	entries, err := s.entries(ctx, []messageRow{m})
	if err != nil {
		return Entry{}, nil, nil, err
	}
	rows, err := stepsOf(ctx, s.db, id)
	if err != nil {
		return Entry{}, nil, nil, err
	}
	steps := make([]Step, 0, len(rows))
	for _, r := range rows {
		steps = append(steps, Step{r.Channel, r.Outcome, r.Code, r.Detail, clock.FromMillis(r.At)})
	}
	var data map[string]string
	_ = json.Unmarshal([]byte(m.Data), &data)
	return entries[0], steps, data, nil
}

// resendable are the states that a person may send again from.
var resendable = []string{Dead, Failed, Unreachable, Refused, Capped, Stale}

// Resend sends ended messages again, all or none; neither quiet hours nor the cap hold them. Faults: request.not_found, ErrState.
func (s *Service) Resend(ctx context.Context, ids []int64) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, id := range ids {
			m, err := readMessage(ctx, tx, id, tx.ForUpdate())
			if errors.Is(err, db.ErrNoRows) {
				return fault.ErrNotFound
			}
			if err != nil {
				return err
			}
			if !slices.Contains(resendable, m.State) || m.Data == "{}" {
				return ErrState
			}
			if ok, err := redo(ctx, tx, m, markHand+","); err != nil || !ok {
				return errors.Join(err, ErrState)
			}
			if err := dropCall(ctx, tx, id); err != nil {
				return err
			}
			s.stepTx(tx, id, "", stepResent, "", "")
			if err := s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobDeliver, Payload: delivery{MessageID: id}}); err != nil {
				return err
			}
			e, _ := eventInfo(m.Event)
			if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "message.resend", SubjectKind: "member", SubjectID: m.MemberID, SubjectLabel: e.Title,
				Detail: map[string]any{"messageId": id, "state": m.State, "detail": m.Detail}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// DayCount is how many messages had an outcome on a channel on a day.
type DayCount struct {
	Day     string `json:"day"`
	Channel string `json:"channel"`
	Outcome string `json:"outcome"`
	Count   int    `json:"count"`
}

// Stats counts the outcomes of the last days, today included.
func (s *Service) Stats(ctx context.Context, days int) ([]DayCount, error) {
	rows, err := countDays(ctx, s.db, bizday.Of(s.db.Now().AddDate(0, 0, 1-days), s.opt.Zone))
	out := make([]DayCount, 0, len(rows))
	for _, r := range rows {
		out = append(out, DayCount{r.Day, r.Channel, r.Outcome, r.N})
	}
	return out, err
}

// exists refuses an id of nobody. Fault: request.not_found.
func (s *Service) exists(ctx context.Context, memberID int64) error {
	if s.opt.People == nil {
		return nil
	}
	all, err := s.opt.People.Contacts(ctx, []int64{memberID})
	if _, ok := all[memberID]; err == nil && !ok {
		return fault.ErrNotFound
	}
	return err
}

// EraseTx forgets a member who leaves: what messages said and to whom they went, what the member chose. That they went out stays.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	return eraseMember(ctx, tx, memberID)
}

// Audit reports what must never be: a message sent twice without somebody's wish, a purse below zero, a call without its message.
func (s *Service) Audit(ctx context.Context, report func(string)) error {
	for _, b := range breaches {
		var ids []int64
		if err := s.db.Select(ctx, &ids, b.query); err != nil {
			return err
		}
		for _, id := range ids {
			report(fmt.Sprintf(b.say, id))
		}
	}
	return nil
}
