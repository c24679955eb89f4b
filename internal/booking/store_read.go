package booking

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// bookingsWhere reads bookings with items and segments; where is one of this package's own texts, with its ORDER BY.
func bookingsWhere(ctx context.Context, r db.Reader, where string, args ...any) ([]Booking, error) {
	query, args, err := db.In(`SELECT `+bookingColumns+` FROM booking_bookings WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	var rows []bookingRow
	if err := r.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	out := make([]Booking, 0, len(rows))
	for _, x := range rows {
		out = append(out, x.booking())
	}
	return out, fillParts(ctx, r, out, "")
}

// fillParts reads the items and segments of bookings, each with one statement. lock is that of the bookings: what is decided on is never an old picture;
// items never change.
func fillParts(ctx context.Context, r db.Reader, list []Booking, lock string) error {
	if len(list) == 0 {
		return nil
	}
	at := make(map[int64]*Booking, len(list))
	ids := make([]int64, 0, len(list))
	for i := range list {
		at[list[i].ID] = &list[i]
		ids = append(ids, list[i].ID)
	}
	for len(ids) > 0 { // an engine takes only so many parameters
		n := min(len(ids), 500)
		if err := fillSome(ctx, r, at, ids[:n], lock); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

func fillSome(ctx context.Context, r db.Reader, at map[int64]*Booking, ids []int64, lock string) error {
	query, args, err := db.In(`SELECT booking_id, line_no, service_id, title, minutes, price_fen FROM booking_items WHERE booking_id IN (?) ORDER BY booking_id, line_no`, ids)
	if err != nil {
		return err
	}
	var items []itemRow
	if err := r.Select(ctx, &items, query, args...); err != nil {
		return err
	}
	for _, x := range items {
		b := at[x.BookingID]
		b.Items = append(b.Items, Item{x.ServiceID, x.Title, x.Minutes, money.Fen(x.PriceFen)})
	}
	if query, args, err = db.In(`SELECT booking_id, seg_no, bay_kind, skill, min_level, bay_id, technician_id, from_cell, to_cell, service_from, service_to
		FROM booking_segments WHERE booking_id IN (?) ORDER BY booking_id, seg_no`+lock, ids); err != nil {
		return err
	}
	var segments []segmentRow
	if err := r.Select(ctx, &segments, query, args...); err != nil {
		return err
	}
	for _, x := range segments {
		b := at[x.BookingID]
		b.Segments = append(b.Segments, Segment{x.No, x.BayKind, x.Skill, x.MinLevel, x.BayID, x.TechnicianID, x.FromCell, x.ToCell, x.ServiceFrom, x.ServiceTo})
	}
	return nil
}

// eventsOf reads a booking's log, oldest first.
func eventsOf(ctx context.Context, r db.Reader, bookingID int64) ([]Event, error) {
	var rows []eventRow
	err := r.Select(ctx, &rows, `SELECT id, booking_id, store_id, created_at, kind, event_text, actor_kind, actor_id, actor_name FROM booking_events
		WHERE booking_id = ? ORDER BY id LIMIT 500`, bookingID)
	out := make([]Event, 0, len(rows))
	for _, x := range rows {
		out = append(out, Event{x.ID, x.BookingID, x.StoreID, clock.FromMillis(x.At), x.Kind, x.Text, x.ActorKind, x.ActorID, x.ActorName})
	}
	return out, err
}

// dueHolds are the ids of held bookings of a store whose time is over; store 0 is every store.
func dueHolds(ctx context.Context, r db.Reader, storeID, now int64, limit int, lock string) (ids []int64, err error) {
	where, args := "state = ? AND hold_expires_at <= ?", []any{string(Held), now}
	if storeID != 0 {
		where, args = where+" AND store_id = ?", append(args, storeID)
	}
	err = r.Select(ctx, &ids, `SELECT id FROM booking_bookings WHERE `+where+` ORDER BY id LIMIT ?`+lock, append(args, limit)...)
	return ids, err
}

func stateNames(states []State) []string {
	out := make([]string, 0, len(states))
	for _, s := range states {
		out = append(out, string(s))
	}
	return out
}

// unfinished counts what keeps a member from leaving: bookings to come or under way, and deposits that no till has counted yet.
func unfinished(ctx context.Context, r db.Reader, memberID, now int64) (n int, err error) {
	query, args, err := db.In(`SELECT COUNT(*) FROM booking_bookings WHERE member_id = ? AND ((state IN (?) AND (state <> 'held' OR hold_expires_at IS NULL OR hold_expires_at > ?))
		OR (state = 'done' AND deposit_state = 'paid'))`, memberID, stateNames(open), now)
	if err != nil {
		return 0, err
	}
	err = r.Get(ctx, &n, query, args...)
	return n, err
}

// openOf locks and counts a member's bookings that are still to come or under way, and the rescues among them; due holds do not count. Each is locked by
// its id: to look for them under a lock, a server goes over a small table from its beginning, and whoever books at the same time does so too, until one
// deadlock follows the other. What is missed between the looking and the locking is what the lock of the member keeps out.
func openOf(ctx context.Context, tx *db.Tx, memberID int64) (n, rescues int, err error) {
	query, args, err := db.In(`SELECT id FROM booking_bookings WHERE member_id = ? AND state IN (?) ORDER BY id`, memberID, stateNames(open))
	if err != nil {
		return 0, 0, err
	}
	var ids []int64
	if err := tx.Select(ctx, &ids, query, args...); err != nil {
		return 0, 0, err
	}
	for _, id := range ids {
		var x struct {
			Kind  string `db:"kind"`
			State State  `db:"state"`
			Hold  *int64 `db:"hold_expires_at"`
		}
		if err := tx.Get(ctx, &x, `SELECT kind, state, hold_expires_at FROM booking_bookings WHERE id = ?`+tx.ForUpdate(), id); err != nil {
			return 0, 0, err
		}
		if slices.Contains(open, x.State) && (x.State != Held || x.Hold == nil || *x.Hold > tx.Millis()) {
			n++
			if Kind(x.Kind) == KindRescue {
				rescues++
			}
		}
	}
	return n, rescues, nil
}

// noShows counts the no-shows of a member, or of a plate where the member is 0, since an instant in unix ms.
func noShows(ctx context.Context, r db.Reader, memberID int64, plate string, since int64) (n int64, err error) {
	if memberID != 0 {
		err = r.Get(ctx, &n, `SELECT COUNT(*) FROM booking_bookings WHERE member_id = ? AND state = 'no_show' AND starts_at > ?`, memberID, since)
		return n, err
	}
	err = r.Get(ctx, &n, `SELECT COUNT(*) FROM booking_bookings WHERE plate = ? AND member_id = 0 AND state = 'no_show' AND starts_at > ?`, plate, since)
	return n, err
}

// dueSoon asks for the due holds of a store, in the order of their ids.
func dueSoon(ask db.Asker, storeID, now int64, then func(ids []int64)) {
	var rows []struct {
		ID int64 `db:"id"`
	}
	ask.SelectSoon(&rows, func() {
		ids := make([]int64, len(rows))
		for i, x := range rows {
			ids[i] = x.ID
		}
		slices.Sort(ids)
		then(ids)
	}, `SELECT id FROM booking_bookings WHERE state = ? AND hold_expires_at <= ? AND store_id = ? ORDER BY id LIMIT ?`, string(Held), now, storeID, maxDue)
}

// noShowsSoon asks how often each of the members did not come since an instant; who always came is missing in the map.
func noShowsSoon(ask db.Asker, members []int64, since int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	if len(members) == 0 {
		return out, nil
	}
	query, args, err := db.In(`SELECT member_id FROM booking_bookings WHERE member_id IN (?) AND state = ? AND starts_at > ?`, members, string(NoShow), since)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		MemberID int64 `db:"member_id"`
	}
	ask.SelectSoon(&rows, func() {
		for _, x := range rows {
			out[x.MemberID]++
		}
	}, query, args...)
	return out, nil
}

// lastTechnicians are the technicians of the member's latest finished booking.
func lastTechnicians(ctx context.Context, r db.Reader, memberID int64) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT s.technician_id FROM booking_segments s WHERE s.technician_id <> 0 AND s.booking_id =
		(SELECT MAX(b.id) FROM booking_bookings b WHERE b.member_id = ? AND b.state IN ('done', 'settled')) ORDER BY s.seg_no`, memberID)
	return ids, err
}

// Filter chooses bookings for a list; zero values choose all.
type Filter struct {
	StoreID  int64
	Stores   []int64 // nil: every store
	FromDay  string  // business dates, inclusive
	ToDay    string
	State    string
	Kind     string
	Text     string // part of a plate, or a booking number
	MemberID int64
	After    *cursor
	Newest   bool // latest start first
	Limit    int
}

// cursor is the last row of a page.
type cursor struct{ starts, id int64 }

// list reads a page of bookings in the order of their start.
func list(ctx context.Context, r db.Reader, f Filter) ([]Booking, error) {
	where, args := []string{"1 = 1"}, []any{}
	and := func(cond string, a ...any) { where, args = append(where, cond), append(args, a...) }
	if f.StoreID != 0 {
		and("store_id = ?", f.StoreID)
	}
	if f.Stores != nil {
		and("store_id IN (?)", append([]int64{0}, f.Stores...))
	}
	if f.FromDay != "" {
		and("biz_day >= ?", f.FromDay)
	}
	if f.ToDay != "" {
		and("biz_day <= ?", f.ToDay)
	}
	if f.State != "" {
		and("state = ?", f.State)
	}
	if f.Kind != "" {
		and("kind = ?", f.Kind)
	}
	if f.MemberID != 0 {
		and("member_id = ?", f.MemberID)
	}
	if f.Text != "" {
		like := "%" + db.Like(f.Text) + "%"
		and("(plate LIKE ? ESCAPE '!' OR booking_no LIKE ? ESCAPE '!')", like, like)
	}
	order, than := "starts_at, id", ">"
	if f.Newest {
		order, than = "starts_at DESC, id DESC", "<"
	}
	if f.After != nil {
		and("(starts_at "+than+" ? OR (starts_at = ? AND id "+than+" ?))", f.After.starts, f.After.starts, f.After.id)
	}
	return bookingsWhere(ctx, r, strings.Join(where, " AND ")+" ORDER BY "+order+" LIMIT ?", append(args, f.Limit)...)
}

// ofMember reads a member's bookings: open ones by their start, past ones latest first.
func ofMember(ctx context.Context, r db.Reader, memberID int64, past bool, limit int) ([]Booking, error) {
	if past {
		return bookingsWhere(ctx, r, "member_id = ? AND state IN (?) ORDER BY starts_at DESC, id DESC LIMIT ?", memberID,
			stateNames([]State{Done, Settled, Cancelled, Expired, NoShow}), limit)
	}
	return bookingsWhere(ctx, r, "member_id = ? AND state IN (?) ORDER BY starts_at, id LIMIT ?", memberID, stateNames(open), limit)
}

// onFloor reads the bookings of a store that touch a span of cells and have not ended without being served.
func onFloor(ctx context.Context, r db.Reader, storeID, from, to int64) ([]Booking, error) {
	return bookingsWhere(ctx, r, "store_id = ? AND to_cell > ? AND from_cell < ? AND state IN (?) ORDER BY starts_at, id", storeID, from, to,
		stateNames([]State{Held, Requested, Confirmed, Dispatched, Arrived, InService, Done, Settled, NoShow}))
}

// paymentOf is the payment of a booking's deposit, 0 when there is none. Fault: fault.ErrNotFound.
func paymentOf(ctx context.Context, r db.Reader, id int64) (paymentID int64, err error) {
	err = r.Get(ctx, &paymentID, `SELECT payment_id FROM booking_bookings WHERE id = ?`, id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return paymentID, err
}

// starSum is what a technician was given.
type starSum struct{ N, Sum int64 }

// starsOf sums the ratings of technicians.
func starsOf(ctx context.Context, r db.Reader, ids []int64) (map[int64]starSum, error) {
	out := map[int64]starSum{}
	if len(ids) == 0 {
		return out, nil
	}
	query, args, err := db.In(`SELECT technician_id, COUNT(*) AS n, SUM(stars) AS total FROM booking_ratings WHERE technician_id IN (?) GROUP BY technician_id`, ids)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID    int64 `db:"technician_id"`
		N     int64 `db:"n"`
		Total int64 `db:"total"`
	}
	err = r.Select(ctx, &rows, query, args...)
	for _, x := range rows {
		out[x.ID] = starSum{x.N, x.Total}
	}
	return out, err
}
