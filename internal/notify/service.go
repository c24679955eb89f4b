package notify

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
	"github.com/liangche/liangche/internal/jobs"
)

// Service keeps the outbox and the grants.
type Service struct {
	db       *db.DB
	queue    *jobs.Queue
	dir      Directory
	sender   Sender
	switches Settings
	opt      Options
	copy     fresh.Value[setup]
	brakes   brakes
}

// New returns the service and registers its jobs.
func New(d *db.DB, q *jobs.Queue, dir Directory, sender Sender, settings Settings, opt Options) *Service {
	s := &Service{db: d, queue: q, dir: dir, sender: sender, switches: settings, opt: opt}
	q.Handle(JobDeliver, s.deliverJob)
	q.Every("notify.sweep", 30*time.Minute, s.Sweep)
	return s
}

// EnqueueTx promises a message in the transaction of what it reports: with it, or not at all (N29). A dedupe key that
// exists already makes it a no-op.
func (s *Service) EnqueueTx(ctx context.Context, tx *db.Tx, m Message) error {
	row, err := newMessage(tx, m)
	if err != nil {
		return err
	}
	if err := tx.Insert(ctx, "notify_messages", row); err != nil {
		if errors.Is(err, db.ErrDuplicate) {
			return nil
		}
		return err
	}
	return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobDeliver, Payload: delivery{MessageID: row.ID}})
}

// EnqueueNewTx is EnqueueTx for a message whose dedupe key cannot exist yet, because what it reports begins in this very transaction:
// nothing waits for the answer of the database.
func (s *Service) EnqueueNewTx(ctx context.Context, tx *db.Tx, m Message) error {
	row, err := newMessage(tx, m)
	if err != nil {
		return err
	}
	tx.InsertSoon("notify_messages", row)
	return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobDeliver, Payload: delivery{MessageID: row.ID}})
}

// batch is how many messages one delivery job of EnqueueManyTx holds, and chunk how many rows one statement inserts.
const batch, chunk = 20, 200

// EnqueueManyTx is EnqueueTx for many messages at little cost: rows go in together, keys that exist already are skipped. It returns how
// many are new. Give it a few hundred at a time, so that the transaction stays short.
func (s *Service) EnqueueManyTx(ctx context.Context, tx *db.Tx, ms []Message) (added int, err error) {
	for part := range slices.Chunk(ms, chunk) {
		ids, err := s.enqueueChunk(ctx, tx, part)
		if err != nil {
			return added, err
		}
		for some := range slices.Chunk(ids, batch) {
			if err := s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobDeliver, Payload: delivery{MessageIDs: some}}); err != nil {
				return added, err
			}
		}
		added += len(ids)
	}
	return added, nil
}

func (s *Service) enqueueChunk(ctx context.Context, tx *db.Tx, ms []Message) (ids []int64, err error) {
	keys := make([]string, len(ms))
	for i, m := range ms {
		keys[i] = m.Dedupe
	}
	known, err := knownKeys(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	rows := make([]newRow, 0, len(ms))
	for _, m := range ms {
		if known[m.Dedupe] {
			continue
		}
		known[m.Dedupe] = true // the same key twice in one call
		row, err := newMessage(tx, m)
		if err != nil {
			return nil, err
		}
		rows, ids = append(rows, row), append(ids, row.ID)
	}
	err = tx.Insert(ctx, "notify_messages", rows)
	if !errors.Is(err, db.ErrDuplicate) {
		return ids, err
	}
	ids = nil // another transaction promised some of them meanwhile: one by one
	for _, row := range rows {
		switch err := tx.Insert(ctx, "notify_messages", row); {
		case err == nil:
			ids = append(ids, row.ID)
		case !errors.Is(err, db.ErrDuplicate):
			return nil, err
		}
	}
	return ids, nil
}

func newMessage(tx *db.Tx, m Message) (newRow, error) {
	data, err := json.Marshal(m.Data)
	r := newRow{ID: tx.NewID(), MemberID: m.MemberID, Event: m.Event, Dedupe: m.Dedupe, Data: string(data), Page: m.Page, State: Queued, CreatedAt: tx.Millis()}
	if !m.Until.IsZero() {
		r.UntilAt = m.Until.UnixMilli()
	}
	return r, err
}

// knownTemplate says whether the mini-program may ask for a template.
func (s *Service) knownTemplate(ctx context.Context, id string) (bool, error) {
	set, err := s.current(ctx)
	for key, t := range set.templates {
		if key[0] == MiniProgram && t.ID == id && id != "" {
			return true, err
		}
	}
	return false, err
}

// Grant counts what the acting owner allowed and returns what is left per template. Faults: session.required,
// notify.template_unknown, request.invalid.
func (s *Service) Grant(ctx context.Context, results []GrantResult) ([]GrantCount, error) {
	who := actor.From(ctx)
	if who.Kind != actor.Owner {
		return nil, fault.ErrNoSession
	}
	seen := map[string]bool{}
	for _, g := range results {
		known, err := s.knownTemplate(ctx, g.TemplateID)
		switch {
		case err != nil:
			return nil, err
		case !known:
			return nil, ErrTemplate
		case seen[g.TemplateID], !slices.Contains([]string{Accept, Reject, Ban, Filter}, g.Result):
			return nil, fault.ErrInvalid.On("results", "每个模板只能有一个结果")
		}
		seen[g.TemplateID] = true
	}
	app, openID, err := s.dir.OpenID(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	to := Recipient{App: app, OpenID: openID}
	var rows []grantRow
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, g := range results {
			var err error
			switch g.Result {
			case Accept:
				err = addGrant(ctx, tx, to, g.TemplateID)
			case Ban: // the owner switched it off in WeChat: what was allowed before no longer counts
				err = zeroGrant(ctx, tx, to, g.TemplateID)
			}
			if err != nil {
				return err
			}
		}
		got, err := readGrants(ctx, tx, to)
		rows = got
		return err
	})
	out := make([]GrantCount, 0, len(rows))
	for _, r := range rows {
		out = append(out, GrantCount{r.TemplateID, r.Left})
	}
	return out, err
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
