package tier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/id"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/setting"
)

const (
	sweepName = "sweep"
	page      = 500
	// overlap is how far back each sweep reads again: a transaction that began earlier may commit later.
	overlap = 45 * time.Second
	// firstLook is how far back the very first sweep looks; the nightly recomputation sees the rest.
	firstLook = time.Hour
)

// Sweep moves members whose postings are new, and those whose assignment has run out: the till does nothing for it, and a
// member rises within seconds of paying. It gives and takes back experience.
func (s *Service) Sweep(ctx context.Context) error {
	if err := s.endAssignments(ctx); err != nil {
		return err
	}
	at, err := readCursor(ctx, s.db, sweepName)
	if err != nil {
		return err
	}
	from := id.First(s.db.Now().Add(-overlap))
	switch {
	case at == 0:
		from = id.First(s.db.Now().Add(-firstLook))
	case at < from:
		from = at
	}
	s.forget(from)
	for ctx.Err() == nil {
		rows, err := ledger.HappenedAfter(ctx, s.db, from, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		fresh := s.unseen(rows)
		if err := s.sweep(ctx, fresh); err != nil {
			return err
		}
		s.saw(fresh)
		if from = rows[len(rows)-1].PostingID; from > at {
			if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return passCursor(ctx, tx, sweepName, from) }); err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
	}
	return ctx.Err()
}

// sweep deals with postings: experience first, then the tiers of their members.
func (s *Service) sweep(ctx context.Context, rows []ledger.Happened) error {
	if err := s.experience(ctx, rows); err != nil {
		return err
	}
	var members []int64
	for _, r := range rows {
		if r.MemberID != 0 && counts(r.Kind) {
			members = append(members, r.MemberID)
		}
	}
	slices.Sort(members)
	for part := range slices.Chunk(slices.Compact(members), page) {
		if _, err := s.place(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// counts says whether postings of a kind may change a tier.
func counts(kind string) bool {
	return kind == ledger.KindConsume || kind == ledger.KindReversal || kind == ledger.KindExperience || kind == ledger.KindExperienceClawback
}

// unseen are the postings that this process has not dealt with.
func (s *Service) unseen(rows []ledger.Happened) (out []ledger.Happened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		if !s.seen[r.PostingID] {
			out = append(out, r)
		}
	}
	return out
}

func (s *Service) saw(rows []ledger.Happened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		s.seen[r.PostingID] = true
	}
}

// forget drops what lies before the overlap.
func (s *Service) forget(before int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for posting := range s.seen {
		if posting <= before {
			delete(s.seen, posting)
		}
	}
}

// endAssignments moves members whose assignment has run out.
func (s *Service) endAssignments(ctx context.Context) error {
	for ctx.Err() == nil {
		ended, err := endedAssignments(ctx, s.db, s.db.Now().UnixMilli(), 100)
		if err != nil || len(ended) == 0 {
			return err
		}
		slices.Sort(ended)
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			def, err := s.Default(ctx, tx)
			if err != nil {
				return err
			}
			for _, m := range ended {
				if _, err := lockPlace(ctx, tx, m, def.ID); err != nil {
					return err
				}
			}
			if err := s.placeTx(ctx, tx, ended); err != nil { // with what has run out still there: it no longer counts
				return err
			}
			for _, m := range ended {
				if err := dropEnded(ctx, tx, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// experience gives experience for settlements and takes it back for those that were reversed: once each.
func (s *Service) experience(ctx context.Context, rows []ledger.Happened) error {
	perYuan, err := s.settings.Int(ctx, setting.TierExperiencePerYuan)
	if err != nil {
		return err
	}
	var paid, undone []int64
	for _, r := range rows {
		switch {
		case r.MemberID == 0:
		case r.Kind == ledger.KindConsume && perYuan > 0:
			paid = append(paid, r.PostingID)
		case r.Kind == ledger.KindReversal && r.ReversesID != nil:
			undone = append(undone, *r.ReversesID)
		}
	}
	known, err := earnedFor(ctx, s.db, append(slices.Clone(paid), undone...))
	if err != nil {
		return err
	}
	paid = slices.DeleteFunc(paid, func(p int64) bool { _, ok := known[p]; return ok })
	visits, err := ledger.VisitsBy(ctx, s.db, paid)
	if err != nil {
		return err
	}
	worth := map[int64]earnedRow{}
	for _, v := range visits {
		w := worth[v.PostingID]
		w.PostingID, w.MemberID = v.PostingID, v.MemberID
		w.Amount += int64(v.Fen) // fen until all its rows are there
		worth[v.PostingID] = w
	}
	var give, take []earnedRow
	for _, w := range worth {
		if w.Amount = w.Amount * perYuan / 100; w.Amount > 0 {
			give = append(give, w)
		}
	}
	for _, p := range undone {
		if w, ok := known[p]; ok && w.UndoneBy == 0 {
			take = append(take, w)
		}
	}
	return errors.Join(s.eachEarned(ctx, give, s.giveTx), s.eachEarned(ctx, take, s.takeTx))
}

// eachEarned runs a step for each, many in one transaction, members in ascending order.
func (s *Service) eachEarned(ctx context.Context, list []earnedRow, step func(context.Context, *db.Tx, earnedRow) error) error {
	slices.SortFunc(list, func(a, b earnedRow) int {
		return cmp.Or(cmp.Compare(a.MemberID, b.MemberID), cmp.Compare(a.PostingID, b.PostingID))
	})
	for part := range slices.Chunk(list, 50) {
		if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			for _, w := range part {
				if err := step(ctx, tx, w); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) giveTx(ctx context.Context, tx *db.Tx, w earnedRow) error {
	book, err := ledger.LockTx(ctx, tx, w.MemberID, ledger.Experience)
	if err != nil {
		return err
	}
	if have, err := earnedFor(ctx, tx, []int64{w.PostingID}); err != nil || have[w.PostingID].PostingID != 0 {
		return err // another instance was quicker
	}
	w.EarnedBy, err = ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindExperience, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "posting", RefID: w.PostingID, Title: "成长值"},
		ledger.Leg{Unit: ledger.Experience, Amount: w.Amount}, ledger.ExperienceLeg(-w.Amount))
	if err != nil {
		return err
	}
	w.CreatedAt = tx.Millis()
	return tx.Insert(ctx, "tier_earned", w)
}

func (s *Service) takeTx(ctx context.Context, tx *db.Tx, w earnedRow) error {
	book, err := ledger.LockTx(ctx, tx, w.MemberID, ledger.Experience)
	if err != nil {
		return err
	}
	by, err := ledger.ReverseTx(ctx, tx, book, w.EarnedBy, ledger.Post{Kind: ledger.KindExperienceClawback, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "posting", RefID: w.PostingID,
		Title: "成长值撤回"})
	if errors.Is(err, ledger.ErrReversed) {
		return nil // another instance was quicker
	}
	if err != nil {
		return err
	}
	return setUndone(ctx, tx, w.PostingID, by)
}

// Run is how far a recomputation of everybody got.
type Run struct {
	Members    int64      `json:"members" doc:"Looked at so far"`
	Changed    int64      `json:"changed"`
	StartedAt  time.Time  `json:"startedAt"`
	FinishedAt *time.Time `json:"finishedAt,omitempty" doc:"Absent while it runs"`
	Running    bool       `json:"running"`
}

func (r runRow) run() Run {
	out := Run{Members: r.Members, Changed: r.Changed, StartedAt: time.UnixMilli(r.StartedAt), Running: r.FinishedAt == 0}
	if r.FinishedAt != 0 {
		t := time.UnixMilli(r.FinishedAt)
		out.FinishedAt = &t
	}
	return out
}

// LastRun says how far the newest recomputation got; nil when there was none.
func (s *Service) LastRun(ctx context.Context) (*Run, error) {
	r, err := lastRun(ctx, s.db)
	if err != nil || r.ID == 0 {
		return nil, err
	}
	out := r.run()
	return &out, nil
}

// nightHour is when the nightly recomputation begins, in China.
const nightHour = 3

// Nightly recomputes everybody once a day: it starts the day's run at three, and goes on with any run that was interrupted.
func (s *Service) Nightly(ctx context.Context) error {
	now := s.db.Now().In(bizday.Location(bizday.DefaultZone))
	if now.Hour() >= nightHour {
		key := "nightly:" + now.Format(time.DateOnly)
		if _, err := runByKey(ctx, s.db, key); errors.Is(err, db.ErrNoRows) {
			if err := s.start(ctx, key); err != nil {
				return err
			}
			if err := s.rereadDay(ctx); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	return s.Continue(ctx)
}

// rereadDay looks at the last day's postings once more: experience that a sweep missed is given now.
func (s *Service) rereadDay(ctx context.Context) error {
	from := id.First(s.db.Now().Add(-25 * time.Hour))
	for ctx.Err() == nil {
		rows, err := ledger.HappenedAfter(ctx, s.db, from, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := s.experience(ctx, rows); err != nil {
			return err
		}
		from = rows[len(rows)-1].PostingID
	}
	return ctx.Err()
}

func (s *Service) start(ctx context.Context, key string) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := purgeRuns(ctx, tx, tx.Now.AddDate(0, -2, 0).UnixMilli()); err != nil {
			return err
		}
		_, err := startRun(ctx, tx, key)
		return err
	})
}

// Continue goes on with every run that has not finished, until all have or the time is up: what was done stays done (see passRun).
func (s *Service) Continue(ctx context.Context) error {
	if s.People == nil {
		return nil
	}
	open, err := openRuns(ctx, s.db)
	if err != nil {
		return err
	}
	for _, r := range open {
		if err := s.goOn(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// chunk is how many members are computed at once: all of them are read by a handful of statements, and forgotten before the next.
const chunk = 500

func (s *Service) goOn(ctx context.Context, r runRow) error {
	began := s.db.Now()
	for {
		if ctx.Err() != nil {
			s.Log.InfoContext(ctx, "tiers: interrupted, goes on later", "run", r.Key, "members", r.Members, "changed", r.Changed)
			return nil
		}
		members, err := s.People.LivingAfter(ctx, s.db, r.AfterMember, chunk)
		if err != nil {
			return err
		}
		next := r
		if len(members) == 0 {
			next.FinishedAt = s.db.Now().UnixMilli()
		} else {
			n, err := s.place(ctx, members)
			if ctx.Err() != nil {
				continue // the time is up: these members again next time
			}
			if err != nil {
				return err
			}
			next.AfterMember, next.Members, next.Changed = members[len(members)-1], r.Members+int64(len(members)), r.Changed+int64(n)
		}
		var mine bool
		if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) { mine, err = passRun(ctx, tx, r, next); return err }); err != nil {
			return err
		}
		if !mine {
			return nil // another instance goes on with it
		}
		if next.FinishedAt != 0 {
			s.Log.InfoContext(ctx, "tiers: everybody was computed", "run", r.Key, "members", r.Members, "changed", r.Changed, "took", s.db.Now().Sub(began).Round(time.Millisecond).String())
			return nil
		}
		if next.Members/10_000 != r.Members/10_000 {
			s.Log.InfoContext(ctx, "tiers: computing everybody", "run", r.Key, "members", next.Members, "changed", next.Changed)
		}
		r = next
	}
}

// Recompute starts a recomputation of everybody now. Fault: ErrRunning.
func (s *Service) Recompute(ctx context.Context) (Run, error) {
	var r runRow
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		open, err := openRuns(ctx, tx)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			return ErrRunning
		}
		if r, err = startRun(ctx, tx, fmt.Sprintf("manual:%d", tx.NewID())); err != nil {
			return err
		}
		return s.askTx(ctx, tx)
	})
	return r.run(), err
}
