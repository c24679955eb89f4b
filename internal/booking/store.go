package booking

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type bookingRow struct {
	ID                 int64   `db:"id"`
	No                 string  `db:"booking_no"`
	StoreID            int64   `db:"store_id"`
	BizDay             string  `db:"biz_day"`
	Kind               string  `db:"kind"`
	Channel            string  `db:"channel"`
	State              string  `db:"state"`
	MemberID           int64   `db:"member_id"`
	MemberTier         string  `db:"member_tier"`
	Priority           bool    `db:"priority"`
	ContactName        string  `db:"contact_name_sealed"`
	ContactPhone       string  `db:"contact_phone_sealed"`
	Plate              string  `db:"plate"`
	ActivePlate        *string `db:"active_plate"`
	VehicleID          int64   `db:"vehicle_id"`
	VehicleClassID     int64   `db:"vehicle_class_id"`
	VehicleClassName   string  `db:"vehicle_class_name"`
	Title              string  `db:"title"`
	Minutes            int     `db:"minutes"`
	PriceFen           int64   `db:"price_fen"`
	StartsAt           int64   `db:"starts_at"`
	EndsAt             int64   `db:"ends_at"`
	FromCell           int64   `db:"from_cell"`
	ToCell             int64   `db:"to_cell"`
	TravelMinutes      int     `db:"travel_minutes"`
	DepositFen         int64   `db:"deposit_fen"`
	DepositState       string  `db:"deposit_state"`
	DepositUsedFen     int64   `db:"deposit_used_fen"`
	DepositBackFen     int64   `db:"deposit_back_fen"`
	PaymentID          int64   `db:"payment_id"`
	PaidPostingID      int64   `db:"paid_posting_id"`
	OutPostingID       int64   `db:"out_posting_id"`
	FreeCancelUntil    int64   `db:"free_cancel_until"`
	HoldExpiresAt      *int64  `db:"hold_expires_at"`
	Version            int64   `db:"version"`
	OrderID            int64   `db:"order_id"`
	WishedTechnicianID int64   `db:"wished_technician_id"`
	SameTechnician     bool    `db:"same_technician"`
	Explain            string  `db:"explain_text"`
	Note               string  `db:"note"`
	Address            string  `db:"address"`
	LatE6              int64   `db:"lat_e6"`
	LngE6              int64   `db:"lng_e6"`
	Extra              string  `db:"extra"`
	CancelledBy        string  `db:"cancelled_by"`
	CancelReason       string  `db:"cancel_reason"`
	CreatedByKind      string  `db:"created_by_kind"`
	CreatedByID        int64   `db:"created_by_id"`
	CreatedByName      string  `db:"created_by_name"`
	CreatedAt          int64   `db:"created_at"`
	ConfirmedAt        *int64  `db:"confirmed_at"`
	DispatchedAt       *int64  `db:"dispatched_at"`
	ArrivedAt          *int64  `db:"arrived_at"`
	StartedAt          *int64  `db:"started_at"`
	FinishedAt         *int64  `db:"finished_at"`
	EndedAt            *int64  `db:"ended_at"`
	RemindedAt         *int64  `db:"reminded_at"`
}

const bookingColumns = `id, booking_no, store_id, biz_day, kind, channel, state, member_id, member_tier, priority, contact_name_sealed, contact_phone_sealed, plate,
	active_plate, vehicle_id, vehicle_class_id, vehicle_class_name, title, minutes, price_fen, starts_at, ends_at, from_cell, to_cell, travel_minutes, deposit_fen, deposit_state,
	deposit_used_fen, deposit_back_fen, payment_id, paid_posting_id, out_posting_id, free_cancel_until, hold_expires_at, version, order_id, wished_technician_id,
	same_technician, explain_text, note, address, lat_e6, lng_e6, extra, cancelled_by, cancel_reason, created_by_kind, created_by_id, created_by_name, created_at,
	confirmed_at, dispatched_at, arrived_at, started_at, finished_at, ended_at, reminded_at`

func (r bookingRow) booking() Booking {
	b := Booking{ID: r.ID, No: r.No, StoreID: r.StoreID, BizDay: r.BizDay, Kind: Kind(r.Kind), Channel: r.Channel, State: State(r.State), MemberID: r.MemberID,
		MemberTier: r.MemberTier, Priority: r.Priority, ContactName: r.ContactName, ContactPhone: r.ContactPhone, Plate: r.Plate, VehicleID: r.VehicleID, VehicleClassID: r.VehicleClassID,
		VehicleClassName: r.VehicleClassName, Title: r.Title, Minutes: r.Minutes, PriceFen: money.Fen(r.PriceFen), StartsAt: clock.FromMillis(r.StartsAt),
		EndsAt: clock.FromMillis(r.EndsAt), FromCell: r.FromCell, ToCell: r.ToCell, TravelMinutes: r.TravelMinutes, DepositFen: money.Fen(r.DepositFen),
		DepositState: r.DepositState, DepositUsedFen: money.Fen(r.DepositUsedFen), DepositBackFen: money.Fen(r.DepositBackFen), PaymentID: r.PaymentID,
		PaidPostingID: r.PaidPostingID, OutPostingID: r.OutPostingID, FreeCancelUntil: clock.FromMillis(r.FreeCancelUntil), HoldExpiresAt: clock.FromNull(r.HoldExpiresAt),
		Version: r.Version, OrderID: r.OrderID, WishedTechnicianID: r.WishedTechnicianID, SameTechnician: r.SameTechnician, Explain: r.Explain, Note: r.Note,
		Address: r.Address, LatE6: r.LatE6, LngE6: r.LngE6, CancelledBy: r.CancelledBy, CancelReason: r.CancelReason, CreatedByKind: r.CreatedByKind,
		CreatedByID: r.CreatedByID, CreatedByName: r.CreatedByName, CreatedAt: clock.FromMillis(r.CreatedAt), ConfirmedAt: clock.FromNull(r.ConfirmedAt),
		DispatchedAt: clock.FromNull(r.DispatchedAt), ArrivedAt: clock.FromNull(r.ArrivedAt), StartedAt: clock.FromNull(r.StartedAt), FinishedAt: clock.FromNull(r.FinishedAt),
		EndedAt: clock.FromNull(r.EndedAt), RemindedAt: clock.FromNull(r.RemindedAt)}
	if b.Sealed = r.Extra; strings.HasPrefix(r.Extra, "{") {
		_ = json.Unmarshal([]byte(r.Extra), &b.Extra) // from before there were seals
	}
	return b
}

// rowOf is a booking as it is stored: what is personal only sealed.
func rowOf(b Booking) bookingRow {
	r := bookingRow{ID: b.ID, No: b.No, StoreID: b.StoreID, BizDay: b.BizDay, Kind: string(b.Kind), Channel: b.Channel, State: string(b.State), MemberID: b.MemberID,
		MemberTier: b.MemberTier, Priority: b.Priority, ContactName: b.ContactName, ContactPhone: b.ContactPhone, Plate: b.Plate, VehicleID: b.VehicleID, VehicleClassID: b.VehicleClassID,
		VehicleClassName: b.VehicleClassName, Title: b.Title, Minutes: b.Minutes, PriceFen: int64(b.PriceFen), StartsAt: b.StartsAt.UnixMilli(),
		EndsAt: b.EndsAt.UnixMilli(), FromCell: b.FromCell, ToCell: b.ToCell, TravelMinutes: b.TravelMinutes, DepositFen: int64(b.DepositFen),
		DepositState: b.DepositState, DepositUsedFen: int64(b.DepositUsedFen), DepositBackFen: int64(b.DepositBackFen), PaymentID: b.PaymentID,
		PaidPostingID: b.PaidPostingID, OutPostingID: b.OutPostingID, FreeCancelUntil: b.FreeCancelUntil.UnixMilli(), HoldExpiresAt: clock.NullMillis(b.HoldExpiresAt),
		Version: b.Version, OrderID: b.OrderID, WishedTechnicianID: b.WishedTechnicianID, SameTechnician: b.SameTechnician, Explain: b.Explain, Extra: b.Sealed, CancelledBy: b.CancelledBy, CancelReason: b.CancelReason,
		CreatedByKind: b.CreatedByKind, CreatedByID: b.CreatedByID, CreatedByName: b.CreatedByName, CreatedAt: b.CreatedAt.UnixMilli(),
		ConfirmedAt: clock.NullMillis(b.ConfirmedAt), DispatchedAt: clock.NullMillis(b.DispatchedAt), ArrivedAt: clock.NullMillis(b.ArrivedAt), StartedAt: clock.NullMillis(b.StartedAt),
		FinishedAt: clock.NullMillis(b.FinishedAt), EndedAt: clock.NullMillis(b.EndedAt), RemindedAt: clock.NullMillis(b.RemindedAt)}
	if b.State.holdsPlate() {
		r.ActivePlate = &b.Plate
	}
	return r
}

type itemRow struct {
	BookingID int64  `db:"booking_id"`
	LineNo    int    `db:"line_no"`
	ServiceID int64  `db:"service_id"`
	Title     string `db:"title"`
	Minutes   int    `db:"minutes"`
	PriceFen  int64  `db:"price_fen"`
}

type segmentRow struct {
	BookingID    int64  `db:"booking_id"`
	No           int    `db:"seg_no"`
	BayKind      string `db:"bay_kind"`
	Skill        string `db:"skill"`
	MinLevel     int    `db:"min_level"`
	BayID        int64  `db:"bay_id"`
	TechnicianID int64  `db:"technician_id"`
	FromCell     int64  `db:"from_cell"`
	ToCell       int64  `db:"to_cell"`
	ServiceFrom  int64  `db:"service_from"`
	ServiceTo    int64  `db:"service_to"`
}

type eventRow struct {
	ID        int64  `db:"id"`
	BookingID int64  `db:"booking_id"`
	StoreID   int64  `db:"store_id"`
	At        int64  `db:"created_at"`
	Kind      string `db:"kind"`
	Text      string `db:"event_text"`
	ActorKind string `db:"actor_kind"`
	ActorID   int64  `db:"actor_id"`
	ActorName string `db:"actor_name"`
}

func segmentRows(b Booking) []segmentRow {
	out := make([]segmentRow, 0, len(b.Segments))
	for _, s := range b.Segments {
		out = append(out, segmentRow{b.ID, s.No, s.BayKind, s.Skill, s.MinLevel, s.BayID, s.TechnicianID, s.FromCell, s.ToCell, s.ServiceFrom, s.ServiceTo})
	}
	return out
}

// insertBooking writes a new booking with its items and segments.
func insertBooking(ctx context.Context, tx *db.Tx, b Booking) error {
	if err := tx.Insert(ctx, "booking_bookings", rowOf(b)); err != nil {
		if errors.Is(err, db.ErrDuplicate) && b.State.holdsPlate() {
			return ErrActive
		}
		return err
	}
	items := make([]itemRow, 0, len(b.Items))
	for i, it := range b.Items {
		items = append(items, itemRow{b.ID, i + 1, it.ServiceID, it.Title, it.Minutes, int64(it.PriceFen)})
	}
	tx.InsertSoon("booking_items", items)
	tx.InsertSoon("booking_segments", segmentRows(b))
	return nil
}

// logTx appends to the booking's log; the log is also what open boards watch.
func logTx(ctx context.Context, tx *db.Tx, b Booking, kind, text string) {
	who := actor.From(ctx)
	tx.InsertSoon("booking_events", eventRow{ID: tx.NewID(), BookingID: b.ID, StoreID: b.StoreID, At: tx.Millis(), Kind: kind, Text: db.Clip(text, 300),
		ActorKind: string(who.Kind), ActorID: who.ID, ActorName: db.Clip(who.Name, 60)})
}

// lockBooking reads a booking with its segments and items to be changed. Fault: fault.ErrNotFound.
func lockBooking(ctx context.Context, tx *db.Tx, id int64) (Booking, error) {
	return bookingByID(ctx, tx, id, tx.ForUpdate())
}

func bookingByID(ctx context.Context, r db.Reader, id int64, lock string) (Booking, error) {
	var x bookingRow
	err := r.Get(ctx, &x, `SELECT `+bookingColumns+` FROM booking_bookings WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Booking{}, fault.ErrNotFound
	}
	if err != nil {
		return Booking{}, err
	}
	list := []Booking{x.booking()}
	err = fillParts(ctx, r, list, lock)
	return list[0], err
}

// saveTx writes what may change of a booking, whose state was from and whose version is the one that was read, and moves it to the next
// version. Faults: ErrState when it is no longer in from, ErrActive when the plate is dealt with elsewhere (N33).
func saveTx(ctx context.Context, tx *db.Tx, b *Booking, from State) error {
	r := rowOf(*b)
	err := tx.ExecOne(ctx, ErrState, `UPDATE booking_bookings SET biz_day = ?, state = ?, active_plate = ?, minutes = ?, price_fen = ?, starts_at = ?, ends_at = ?, from_cell = ?,
		to_cell = ?, deposit_state = ?, deposit_used_fen = ?, deposit_back_fen = ?, payment_id = ?, paid_posting_id = ?, out_posting_id = ?, free_cancel_until = ?,
		hold_expires_at = ?, version = version + 1, order_id = ?, wished_technician_id = ?, explain_text = ?, extra = ?, cancelled_by = ?, cancel_reason = ?,
		confirmed_at = ?, dispatched_at = ?, arrived_at = ?, started_at = ?, finished_at = ?, ended_at = ?, reminded_at = ?
		WHERE id = ? AND state = ? AND version = ?`,
		r.BizDay, r.State, r.ActivePlate, r.Minutes, r.PriceFen, r.StartsAt, r.EndsAt, r.FromCell,
		r.ToCell, r.DepositState, r.DepositUsedFen, r.DepositBackFen, r.PaymentID, r.PaidPostingID, r.OutPostingID, r.FreeCancelUntil,
		r.HoldExpiresAt, r.OrderID, r.WishedTechnicianID, db.Clip(r.Explain, 300), r.Extra, r.CancelledBy, db.Clip(r.CancelReason, 200),
		r.ConfirmedAt, r.DispatchedAt, r.ArrivedAt, r.StartedAt, r.FinishedAt, r.EndedAt, r.RemindedAt, r.ID, string(from), r.Version)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrActive
	}
	if err == nil {
		b.Version++
	}
	return err
}

// erasePrivate forgets what is personal in the bookings of a member.
func erasePrivate(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `UPDATE booking_bookings SET contact_name_sealed = '', contact_phone_sealed = '', note = '', address = '', lat_e6 = 0, lng_e6 = 0, extra = '',
		cancel_reason = '', version = version + 1 WHERE member_id = ?`, memberID)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE booking_ratings SET note = '' WHERE member_id = ?`, memberID); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE booking_events SET event_text = '', actor_name = '' WHERE actor_kind = ? AND booking_id IN (SELECT id FROM booking_bookings WHERE member_id = ?)`,
		string(actor.Owner), memberID)
	return err
}

// replaceSegmentsTx writes the segments of a booking anew.
func replaceSegmentsTx(ctx context.Context, tx *db.Tx, b Booking) error {
	if _, err := tx.Exec(ctx, `DELETE FROM booking_segments WHERE booking_id = ?`, b.ID); err != nil {
		return err
	}
	tx.InsertSoon("booking_segments", segmentRows(b))
	return nil
}
