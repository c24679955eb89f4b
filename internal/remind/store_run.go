package remind

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// runRow is how far a rule got on a day.
type runRow struct {
	Day        string `db:"day"`
	Event      string `db:"event"`
	AfterDay   string `db:"after_day"`
	AfterID    int64  `db:"after_id"`
	Looked     int64  `db:"looked"`
	Told       int64  `db:"told"`
	Ahead      string `db:"ahead"` // JSON: how many will be due on each of the next days, as far as the rule can tell
	StartedAt  int64  `db:"started_at"`
	FinishedAt int64  `db:"finished_at"` // 0 while it runs
}

const runColumns = `day, event, after_day, after_id, looked, told, ahead, started_at, finished_at`

// Run is what a rule did on a day.
type Run struct {
	Day        string     `json:"day"`
	Looked     int64      `json:"looked" doc:"How many cars or members were looked at"`
	Told       int64      `json:"told" doc:"How many messages were written"`
	FinishedAt *time.Time `json:"finishedAt,omitempty" doc:"Absent while it runs"`
}

func (r runRow) run() *Run {
	out := &Run{Day: r.Day, Looked: r.Looked, Told: r.Told}
	if r.FinishedAt != 0 {
		at := clock.FromMillis(r.FinishedAt)
		out.FinishedAt = &at
	}
	return out
}

func (r runRow) counts() (out [outlook]int) {
	_ = json.Unmarshal([]byte(r.Ahead), &out) // what cannot be read counts nobody
	return out
}

// openRun reads the run of a day, and begins it where there is none.
func (s *Service) openRun(ctx context.Context, day, event string) (r runRow, err error) {
	read := func() error {
		return s.DB.Get(ctx, &r, `SELECT `+runColumns+` FROM remind_runs WHERE day = ? AND event = ?`, day, event)
	}
	if err = read(); !errors.Is(err, db.ErrNoRows) {
		return r, err
	}
	err = s.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		r = runRow{Day: day, Event: event, Ahead: "[]", StartedAt: tx.Millis()}
		return tx.Insert(ctx, "remind_runs", r)
	})
	if errors.Is(err, db.ErrDuplicate) { // another instance was quicker
		err = read()
	}
	return r, err
}

// advance moves a run on from where it stood; false when another instance did.
func advance(ctx context.Context, tx *db.Tx, from, to runRow) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE remind_runs SET after_day = ?, after_id = ?, looked = ?, ahead = ?, finished_at = ? WHERE day = ? AND event = ? AND after_day = ? AND after_id = ? AND looked = ? AND finished_at = 0`,
		to.AfterDay, to.AfterID, to.Looked, to.Ahead, to.FinishedAt, from.Day, from.Event, from.AfterDay, from.AfterID, from.Looked)
	return n == 1, err
}

func addTold(ctx context.Context, tx *db.Tx, r runRow, n int) error {
	_, err := tx.Exec(ctx, `UPDATE remind_runs SET told = told + ? WHERE day = ? AND event = ?`, n, r.Day, r.Event)
	return err
}

// lastRuns are the newest run of every rule since a day.
func lastRuns(ctx context.Context, r db.Reader, since string) (map[string]runRow, error) {
	var rows []runRow
	err := r.Select(ctx, &rows, `SELECT `+runColumns+` FROM remind_runs WHERE day >= ? ORDER BY day, event`, since)
	out := make(map[string]runRow, len(rows))
	for _, x := range rows {
		out[x.Event] = x
	}
	return out, err
}

func purgeRuns(ctx context.Context, tx *db.Tx, before string) error {
	_, err := tx.Exec(ctx, `DELETE FROM remind_runs WHERE day < ?`, before)
	return err
}
