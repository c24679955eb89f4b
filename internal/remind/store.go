package remind

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type carRow struct {
	VehicleID     int64  `db:"vehicle_id"`
	MemberID      int64  `db:"member_id"`
	Kind          string `db:"kind"`
	RegisteredOn  string `db:"registered_on"`
	InspectedTo   string `db:"inspected_to"`
	InsuredTo     string `db:"insured_to"`
	ServicedOn    string `db:"serviced_on"`
	ServicedKm    int64  `db:"serviced_km"`
	EveryKm       int64  `db:"every_km"`
	EveryMonths   int    `db:"every_months"`
	Km            int64  `db:"km"`
	KmOn          string `db:"km_on"`
	SeenOn        string `db:"seen_on"`
	MaintenanceOn string `db:"maintenance_on"` // computed, like the next
	InspectionOn  string `db:"inspection_on"`
	UpdatedAt     int64  `db:"updated_at"`
}

const carColumns = `vehicle_id, member_id, kind, registered_on, inspected_to, insured_to, serviced_on, serviced_km, every_km, every_months, km, km_on, seen_on, maintenance_on,
	inspection_on, updated_at`

func (r carRow) car() Car {
	return Car{r.VehicleID, r.MemberID, r.Kind, r.RegisteredOn, r.InspectedTo, r.InsuredTo, r.ServicedOn, r.ServicedKm, r.EveryKm, r.EveryMonths, r.Km, r.KmOn, r.SeenOn}
}

func (b book) row(c Car, today string, at int64) carRow {
	maintenance, inspection := b.fill(c, today)
	return carRow{c.VehicleID, c.MemberID, c.Kind, c.RegisteredOn, c.InspectedTo, c.InsuredTo, c.ServicedOn, c.ServicedKm, c.EveryKm, c.EveryMonths, c.Km, c.KmOn, c.SeenOn,
		maintenance, inspection, at}
}

// carsOf reads what is known of a member's cars.
func carsOf(ctx context.Context, r db.Reader, memberID int64) (map[int64]Car, error) {
	var rows []carRow
	err := r.Select(ctx, &rows, `SELECT `+carColumns+` FROM remind_cars WHERE member_id = ? ORDER BY vehicle_id`, memberID)
	out := make(map[int64]Car, len(rows))
	for _, x := range rows {
		out[x.VehicleID] = x.car()
	}
	return out, err
}

// lockCar reads what is known of a car for a change; known is false when that is nothing.
func lockCar(ctx context.Context, tx *db.Tx, vehicleID int64) (c Car, known bool, err error) {
	var row carRow
	err = tx.Get(ctx, &row, `SELECT `+carColumns+` FROM remind_cars WHERE vehicle_id = ?`+tx.ForUpdate(), vehicleID)
	if errors.Is(err, db.ErrNoRows) {
		return c, false, nil
	}
	return row.car(), err == nil, err
}

// putCar writes a car that lockCar read. Fault: request.conflict.
func putCar(ctx context.Context, tx *db.Tx, row carRow, known bool) error {
	if known {
		return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE remind_cars SET member_id = ?, kind = ?, registered_on = ?, inspected_to = ?, insured_to = ?, serviced_on = ?, serviced_km = ?,
			every_km = ?, every_months = ?, km = ?, km_on = ?, seen_on = ?, maintenance_on = ?, inspection_on = ?, updated_at = ? WHERE vehicle_id = ?`,
			row.MemberID, row.Kind, row.RegisteredOn, row.InspectedTo, row.InsuredTo, row.ServicedOn, row.ServicedKm, row.EveryKm, row.EveryMonths, row.Km, row.KmOn, row.SeenOn,
			row.MaintenanceOn, row.InspectionOn, row.UpdatedAt, row.VehicleID)
	}
	err := tx.Insert(ctx, "remind_cars", row)
	if errors.Is(err, db.ErrDuplicate) {
		return fault.ErrBusyWrite
	}
	return err
}

func dropCar(ctx context.Context, tx *db.Tx, vehicleID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM remind_cars WHERE vehicle_id = ?`, vehicleID)
	return err
}

// EraseTx forgets what a member who leaves told of their cars.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM remind_cars WHERE member_id = ?`, memberID)
	return err
}

// dueColumns are the columns that keep the due dates of the rules about cars.
var dueColumns = map[string]string{"maintenance_due": "maintenance_on", "inspection_due": "inspection_on", "insurance_due": "insured_to"}

// carsDue reads cars whose due date of a rule lies in [from, to], after a date and a vehicle, in that order. First what is left of the cursor's day, then
// the days after it: an index leads to each, however many cars share a day.
func carsDue(ctx context.Context, r db.Reader, event, from, to, afterDay string, afterID int64, limit int) (rows []carRow, err error) {
	col := dueColumns[event]
	if afterDay >= from && afterDay <= to {
		err := r.Select(ctx, &rows, `SELECT `+carColumns+` FROM remind_cars WHERE `+col+` = ? AND vehicle_id > ? ORDER BY vehicle_id LIMIT ?`, afterDay, afterID, limit)
		if err != nil || len(rows) == limit {
			return rows, err
		}
	}
	var later []carRow
	err = r.Select(ctx, &later, `SELECT `+carColumns+` FROM remind_cars WHERE `+col+` >= ? AND `+col+` > ? AND `+col+` <= ? ORDER BY `+col+`, vehicle_id LIMIT ?`,
		from, afterDay, to, limit-len(rows))
	return append(rows, later...), err
}

// dayCount is how many cars are due on a day.
type dayCount struct {
	Day string `db:"day"`
	N   int    `db:"n"`
}

func countDue(ctx context.Context, r db.Reader, event, from, to string) (rows []dayCount, err error) {
	col := dueColumns[event]
	return rows, r.Select(ctx, &rows, `SELECT `+col+` AS day, COUNT(*) AS n FROM remind_cars WHERE `+col+` >= ? AND `+col+` <= ? GROUP BY `+col+` ORDER BY `+col, from, to)
}

// carsAfter reads cars in the order of their ids.
func carsAfter(ctx context.Context, r db.Reader, after int64, limit int) (rows []carRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+carColumns+` FROM remind_cars WHERE vehicle_id > ? ORDER BY vehicle_id LIMIT ?`, after, limit)
}

// redate writes the computed dates of a car that nobody changed meanwhile; otherwise they were computed then.
func redate(tx *db.Tx, was, now carRow) {
	tx.ExecSoon(-1, nil, `UPDATE remind_cars SET maintenance_on = ?, inspection_on = ? WHERE vehicle_id = ? AND updated_at = ?`, now.MaintenanceOn, now.InspectionOn, was.VehicleID, was.UpdatedAt)
}

// tableName is the row of remind_terms that keeps the table of inspections.
const tableName = "inspection_table"

type termsRow struct {
	Name      string `db:"name"`
	Terms     string `db:"terms"` // JSON
	UpdatedAt int64  `db:"updated_at"`
	UpdatedBy int64  `db:"updated_by"`
}

// readBook reads the shop's choices, with the defaults filled in.
func readBook(ctx context.Context, r db.Reader, lock string) (b book, err error) {
	b = book{table: DefaultTable(), terms: map[string]Terms{}}
	for _, x := range Rules() {
		if x.ours() {
			b.terms[x.Event] = x.Default
		}
	}
	var rows []termsRow
	if err := r.Select(ctx, &rows, `SELECT name, terms, updated_at, updated_by FROM remind_terms ORDER BY name`+lock); err != nil {
		return b, err
	}
	for _, x := range rows {
		if x.Name == tableName {
			var t Table
			if err := json.Unmarshal([]byte(x.Terms), &t); err != nil {
				return b, err
			}
			b.table = t
			continue
		}
		var t Terms
		if err := json.Unmarshal([]byte(x.Terms), &t); err != nil {
			return b, err
		}
		b.terms[x.Name] = t
	}
	return b, nil
}

// putTerms stores a choice as JSON. Fault: request.conflict.
func putTerms(ctx context.Context, tx *db.Tx, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	by := actor.From(ctx).ID
	n, err := tx.Exec(ctx, `UPDATE remind_terms SET terms = ?, updated_at = ?, updated_by = ? WHERE name = ?`, string(text), tx.Millis(), by, name)
	if err != nil || n > 0 {
		return err
	}
	err = tx.Insert(ctx, "remind_terms", termsRow{name, string(text), tx.Millis(), by})
	if errors.Is(err, db.ErrDuplicate) {
		return fault.ErrBusyWrite
	}
	return err
}
