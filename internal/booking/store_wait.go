package booking

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// Wait is somebody who would take a time that becomes free.
type Wait struct {
	ID                   int64
	StoreID              int64
	MemberID, VehicleID  int64
	Kind                 Kind
	ServiceIDs           []int64
	Title                string
	FromDay, ToDay       string // business dates, inclusive
	FromMinute, ToMinute int    // of the day; a start lies in between
	EndsAt               time.Time
	Priority             bool
	State                WaitState
	BookingID            int64 // the held booking that is offered
	OfferExpiresAt       time.Time
	CreatedAt            time.Time
}

// WaitState is where a wait stands.
type WaitState string

// The states of a wait.
const (
	WaitWaiting   WaitState = "waiting"
	WaitOffered   WaitState = "offered"
	WaitAccepted  WaitState = "accepted"
	WaitExpired   WaitState = "expired"
	WaitCancelled WaitState = "cancelled"
)

type waitRow struct {
	ID             int64  `db:"id"`
	StoreID        int64  `db:"store_id"`
	MemberID       int64  `db:"member_id"`
	VehicleID      int64  `db:"vehicle_id"`
	Kind           string `db:"kind"`
	ServiceIDs     string `db:"service_ids"`
	Title          string `db:"title"`
	FromDay        string `db:"from_day"`
	ToDay          string `db:"to_day"`
	FromMinute     int    `db:"from_minute"`
	ToMinute       int    `db:"to_minute"`
	EndsAt         int64  `db:"ends_at"`
	Priority       bool   `db:"priority"`
	State          string `db:"state"`
	BookingID      int64  `db:"booking_id"`
	OfferExpiresAt int64  `db:"offer_expires_at"`
	CreatedAt      int64  `db:"created_at"`
	UpdatedAt      int64  `db:"updated_at"`
}

const waitColumns = `id, store_id, member_id, vehicle_id, kind, service_ids, title, from_day, to_day, from_minute, to_minute, ends_at, priority, state, booking_id,
	offer_expires_at, created_at, updated_at`

func (r waitRow) wait() Wait {
	w := Wait{ID: r.ID, StoreID: r.StoreID, MemberID: r.MemberID, VehicleID: r.VehicleID, Kind: Kind(r.Kind), Title: r.Title, FromDay: r.FromDay, ToDay: r.ToDay,
		FromMinute: r.FromMinute, ToMinute: r.ToMinute, EndsAt: clock.FromMillis(r.EndsAt), Priority: r.Priority, State: WaitState(r.State), BookingID: r.BookingID,
		CreatedAt: clock.FromMillis(r.CreatedAt)}
	_ = json.Unmarshal([]byte(r.ServiceIDs), &w.ServiceIDs) // written by this package alone
	if r.OfferExpiresAt != 0 {
		w.OfferExpiresAt = clock.FromMillis(r.OfferExpiresAt)
	}
	return w
}

func insertWait(ctx context.Context, tx *db.Tx, w Wait) error {
	ids, err := json.Marshal(w.ServiceIDs)
	if err != nil {
		return err
	}
	return tx.Insert(ctx, "booking_waits", waitRow{ID: w.ID, StoreID: w.StoreID, MemberID: w.MemberID, VehicleID: w.VehicleID, Kind: string(w.Kind), ServiceIDs: string(ids),
		Title: db.Clip(w.Title, 120), FromDay: w.FromDay, ToDay: w.ToDay, FromMinute: w.FromMinute, ToMinute: w.ToMinute, EndsAt: clock.Millis(w.EndsAt), Priority: w.Priority,
		State: string(w.State), CreatedAt: tx.Millis(), UpdatedAt: tx.Millis()})
}

func waitByID(ctx context.Context, r db.Reader, id int64, lock string) (Wait, error) {
	var x waitRow
	err := r.Get(ctx, &x, `SELECT `+waitColumns+` FROM booking_waits WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Wait{}, fault.ErrNotFound
	}
	return x.wait(), err
}

func waitsWhere(ctx context.Context, r db.Reader, where string, args ...any) ([]Wait, error) {
	query, args, err := db.In(`SELECT `+waitColumns+` FROM booking_waits WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	var rows []waitRow
	err = r.Select(ctx, &rows, query, args...)
	out := make([]Wait, 0, len(rows))
	for _, x := range rows {
		out = append(out, x.wait())
	}
	return out, err
}

// waitsOf are a member's waits, newest first; those that ended long ago are left out.
func waitsOf(ctx context.Context, r db.Reader, memberID int64, since time.Time) ([]Wait, error) {
	return waitsWhere(ctx, r, "member_id = ? AND (state IN ('waiting', 'offered') OR updated_at > ?) ORDER BY id DESC LIMIT 50", memberID, clock.Millis(since))
}

// openWaits counts what a member waits for; who has locked the member knows that it stays so. A lock on the waits themselves would go over a small table.
func openWaits(ctx context.Context, tx *db.Tx, memberID int64) (n int, err error) {
	err = tx.Get(ctx, &n, `SELECT COUNT(*) FROM booking_waits WHERE member_id = ? AND state IN ('waiting', 'offered')`, memberID)
	return n, err
}

// waitingIn are the open waits of a store: members with priority first, then who came first.
func waitingIn(ctx context.Context, r db.Reader, storeID int64) ([]Wait, error) {
	return waitsWhere(ctx, r, "state IN ('waiting', 'offered') AND store_id = ? ORDER BY priority DESC, id LIMIT 200", storeID)
}

// storesWaiting are the stores in which somebody waits.
func storesWaiting(ctx context.Context, r db.Reader) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT DISTINCT store_id FROM booking_waits WHERE state = 'waiting' ORDER BY store_id`)
	return ids, err
}

// offeredBy is the open offer that a held booking is, if it is one.
func offeredBy(ctx context.Context, tx *db.Tx, bookingID int64) (Wait, bool, error) {
	list, err := waitsWhere(ctx, tx, "booking_id = ? AND state = 'offered' ORDER BY id"+tx.ForUpdate(), bookingID)
	if err != nil || len(list) == 0 {
		return Wait{}, false, err
	}
	return list[0], true, nil
}

// moveWait changes a wait's state from the one it is in. Fault: ErrState.
func moveWait(ctx context.Context, tx *db.Tx, id int64, from, to WaitState) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE booking_waits SET state = ?, updated_at = ? WHERE id = ? AND state = ?`, string(to), tx.Millis(), id, string(from))
}

// offerWait gives a wait its held booking. Fault: ErrState.
func offerWait(ctx context.Context, tx *db.Tx, id, bookingID int64, until time.Time) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE booking_waits SET state = 'offered', booking_id = ?, offer_expires_at = ?, updated_at = ? WHERE id = ? AND state = 'waiting'`,
		bookingID, clock.Millis(until), tx.Millis(), id)
}

// overWaits are waits whose last possible start has passed.
func overWaits(ctx context.Context, r db.Reader, now time.Time) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT id FROM booking_waits WHERE state = 'waiting' AND ends_at <= ? ORDER BY id LIMIT 500`, clock.Millis(now))
	return ids, err
}

// anybodyWaits says whether somebody waits in a store, for a time or for a bay. It is asked without a lock: whoever begins to wait looks by themselves.
func anybodyWaits(ctx context.Context, r db.Reader, storeID int64) (bool, error) {
	var ids []int64
	err := r.Select(ctx, &ids, `SELECT id FROM booking_waits WHERE state = 'waiting' AND store_id = ? ORDER BY id LIMIT 1`, storeID)
	if err != nil || len(ids) > 0 {
		return len(ids) > 0, err
	}
	err = r.Select(ctx, &ids, `SELECT id FROM booking_bookings WHERE state = 'queued' AND store_id = ? ORDER BY id LIMIT 1`, storeID)
	return len(ids) > 0, err
}
