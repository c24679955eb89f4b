package notify

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// The states of a line on the call list.
const (
	CallOpen    = "open"
	CallDone    = "done"
	CallSkipped = "skipped"
)

// Call is a line of the staff's call list: somebody whom no message reached (X04).
type Call struct {
	ID        int64
	MessageID int64
	MemberID  int64
	StoreID   int64 // 0: any store
	Event     string
	Body      string // what to say
	Reason    string // why no message went out
	State     string
	Note      string
	StaffName string
	CreatedAt time.Time
	DoneAt    time.Time
	Contact   Contact
	Hours     [2]int // minutes of the day in which the member likes to be reached; equal: any
}

// summary is a message in one line, for people.
func summary(e EventInfo, data map[string]string, zone string) string {
	parts := []string{data["title"]}
	for _, name := range []string{"plate", "time", "store", "amount", "hint"} {
		v := data[name]
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			v = t.In(bizday.Location(zone)).Format("1月2日 15:04")
		}
		if name == "amount" && v != "" && v != "0.00" {
			v = "¥" + v
		} else if name == "amount" {
			v = ""
		}
		if v != "" {
			parts = append(parts, v)
		}
	}
	text := strings.Join(parts, " · ")
	if strings.Trim(text, " ·") == "" {
		return e.Title
	}
	return db.Clip(strings.TrimPrefix(text, " · "), 200)
}

// toCallList ends a message with a line for staff.
func (s *Service) toCallList(ctx context.Context, m messageRow, p plan, why string) error {
	var data map[string]string
	if err := json.Unmarshal([]byte(m.Data), &data); err != nil {
		return s.end(ctx, m, Failed, "消息内容无法读取")
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		ok, err := s.endTx(ctx, tx, m, Unreachable, "已转待联系名单："+why)
		if err != nil || !ok {
			return err
		}
		return openCall(ctx, tx, callRow{ID: tx.NewID(), MessageID: m.ID, MemberID: m.MemberID, StoreID: p.store, Event: m.Event, Body: summary(p.event, data, p.zone),
			Reason: db.Clip(why, 200), State: CallOpen, CreatedAt: tx.Millis()})
	})
}

// Calls lists the call list, oldest first while open, newest first when done. The acting staff see their stores alone.
func (s *Service) Calls(ctx context.Context, state string, after int64, limit int) (out []Call, next int64, err error) {
	who := actor.From(ctx)
	stores := append([]int64{0}, who.Stores...)
	if who.AllStores || who.Kind == actor.System {
		stores = nil
	}
	rows, err := listCalls(ctx, s.db, state, stores, after, limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].ID
	}
	out, err = s.calls(ctx, rows)
	return out, next, err
}

func (s *Service) calls(ctx context.Context, rows []callRow) ([]Call, error) {
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.MemberID)
	}
	contacts, err := s.contacts(ctx, ids)
	if err != nil {
		return nil, err
	}
	prefs, err := s.Preferences(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Call, 0, len(rows))
	for _, r := range rows {
		c := Call{ID: r.ID, MessageID: r.MessageID, MemberID: r.MemberID, StoreID: r.StoreID, Event: r.Event, Body: r.Body, Reason: r.Reason, State: r.State, Note: r.Note,
			StaffName: r.StaffName, CreatedAt: clock.FromMillis(r.CreatedAt), Contact: contacts[r.MemberID], Hours: [2]int{prefs[r.MemberID].FromMinute, prefs[r.MemberID].ToMinute}}
		if r.DoneAt != nil {
			c.DoneAt = clock.FromMillis(*r.DoneAt)
		}
		out = append(out, c)
	}
	return out, nil
}

func (s *Service) contacts(ctx context.Context, ids []int64) (map[int64]Contact, error) {
	if s.opt.People == nil || len(ids) == 0 {
		return map[int64]Contact{}, nil
	}
	return s.opt.People.Contacts(ctx, ids)
}

// OpenCalls counts what is open, for the acting staff's stores.
func (s *Service) OpenCalls(ctx context.Context) (int, error) {
	who := actor.From(ctx)
	stores := append([]int64{0}, who.Stores...)
	if who.AllStores || who.Kind == actor.System {
		stores = nil
	}
	return countCalls(ctx, s.db, stores)
}

// lineOf reads a line that the acting staff may see. Fault: request.not_found.
func (s *Service) lineOf(ctx context.Context, r db.Reader, id int64, lock string) (callRow, error) {
	c, err := readCall(ctx, r, id, lock)
	if errors.Is(err, db.ErrNoRows) {
		return c, fault.ErrNotFound
	}
	if err == nil && c.StoreID != 0 && !actor.From(ctx).InStore(c.StoreID) {
		return c, fault.ErrNotFound
	}
	return c, err
}

// DialCall gives the number to call; the trail shows who asked for it. Faults: request.not_found, ErrNoPhone, ErrCallDone.
func (s *Service) DialCall(ctx context.Context, id int64) (phone string, err error) {
	c, err := s.lineOf(ctx, s.db, id, "")
	if err != nil {
		return "", err
	}
	if c.State != CallOpen {
		return "", ErrCallDone
	}
	if s.opt.People == nil {
		return "", ErrNoPhone
	}
	if phone, err = s.opt.People.Phone(ctx, c.MemberID); err != nil {
		return "", err
	}
	if phone == "" {
		return "", ErrNoPhone
	}
	return phone, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "message.call_dial", SubjectKind: "member", SubjectID: c.MemberID, StoreID: c.StoreID, Detail: map[string]any{"messageId": c.MessageID}})
	})
}

// EndCall ticks a line off: done, with what was said, or skipped. Faults: request.not_found, ErrCallDone, request.invalid.
func (s *Service) EndCall(ctx context.Context, id int64, state, note string) error {
	var c fault.Complaints
	c.Text("note", &note, 0, 200, true)
	if err := c.First(); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		call, err := s.lineOf(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		who := actor.From(ctx)
		if err := endCall(ctx, tx, id, state, note, who.ID, db.Clip(who.Name, 60)); err != nil {
			return err
		}
		if state == CallDone {
			if ok, err := settle(ctx, tx, call.MessageID, Unreachable, 0, Called, or(note, "已电话联系")); err != nil {
				return err
			} else if ok {
				s.stepTx(tx, call.MessageID, "call", Called, "", note)
			}
		}
		action := "message.call_skipped"
		if state == CallDone {
			action = "message.call_done"
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "member", SubjectID: call.MemberID, StoreID: call.StoreID,
			Detail: map[string]any{"messageId": call.MessageID, "note": note}})
	})
}
