package roster

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

const shiftColumns = `id, staff_id, store_id, biz_day, starts, ends, break_starts, break_ends`

type technicianRow struct {
	StaffID   int64 `db:"staff_id"`
	Bookable  bool  `db:"bookable"`
	UpdatedAt int64 `db:"updated_at"`
}

// skillRow spells its columns out: an embedded Skill would hide its own field of that name.
type skillRow struct {
	StaffID int64  `db:"staff_id"`
	Name    string `db:"skill"`
	Level   int    `db:"level"`
}

func readTeam(ctx context.Context, r db.Reader) (*team, error) {
	t := &team{rows: map[int64]bool{}, skills: map[int64][]Skill{}}
	var rows []technicianRow
	var skills []skillRow
	if err := r.Select(ctx, &rows, `SELECT staff_id, bookable, updated_at FROM roster_technicians`); err != nil {
		return nil, err
	}
	if err := r.Select(ctx, &skills, `SELECT staff_id, skill, level FROM roster_skills ORDER BY staff_id`); err != nil {
		return nil, err
	}
	for _, x := range rows {
		t.rows[x.StaffID] = x.Bookable
	}
	for _, known := range Skills() {
		for _, x := range skills {
			if x.Name == known {
				t.skills[x.StaffID] = append(t.skills[x.StaffID], Skill{x.Name, x.Level})
			}
		}
	}
	return t, nil
}

// putTechnician writes a technician: the second of two first writes at once replaces the first.
func putTechnician(ctx context.Context, tx *db.Tx, staffID int64, bookable bool) error {
	change := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE roster_technicians SET bookable = ?, updated_at = ? WHERE staff_id = ?`, bookable, tx.Millis(), staffID)
	}
	n, err := change()
	if err != nil || n > 0 {
		return err
	}
	if err = tx.Insert(ctx, "roster_technicians", technicianRow{staffID, bookable, tx.Millis()}); errors.Is(err, db.ErrDuplicate) {
		_, err = change()
	}
	return err
}

func replaceSkills(ctx context.Context, tx *db.Tx, staffID int64, skills []Skill) error {
	if _, err := tx.Exec(ctx, `DELETE FROM roster_skills WHERE staff_id = ?`, staffID); err != nil {
		return err
	}
	var rows []skillRow
	for _, x := range skills {
		rows = append(rows, skillRow{staffID, x.Skill, x.Level})
	}
	return tx.Insert(ctx, "roster_skills", rows)
}

// lockTechnician keeps everybody else from planning for a person. Fault: roster.not_technician.
func lockTechnician(ctx context.Context, tx *db.Tx, staffID int64) error {
	var id int64
	err := tx.Get(ctx, &id, `SELECT staff_id FROM roster_technicians WHERE staff_id = ?`+tx.ForUpdate(), staffID)
	if errors.Is(err, db.ErrNoRows) {
		return ErrNotTechnician
	}
	return err
}

func lockTechnicians(ctx context.Context, tx *db.Tx) error {
	var ids []int64
	return tx.Select(ctx, &ids, `SELECT staff_id FROM roster_technicians ORDER BY staff_id`+tx.ForUpdate())
}

func readShifts(ctx context.Context, r db.Reader, storeID int64, from, to string) ([]Shift, error) {
	var out []Shift
	err := r.Select(ctx, &out, `SELECT `+shiftColumns+` FROM roster_shifts WHERE store_id = ? AND biz_day BETWEEN ? AND ? ORDER BY biz_day, staff_id, starts`, storeID, from, to)
	return out, err
}

// shiftsOf reads the shifts of a person in every store.
func shiftsOf(ctx context.Context, tx *db.Tx, staffID int64, from, to string) ([]Shift, error) {
	var out []Shift
	err := tx.Select(ctx, &out, `SELECT `+shiftColumns+` FROM roster_shifts WHERE staff_id = ? AND biz_day BETWEEN ? AND ? ORDER BY biz_day, starts`, staffID, from, to)
	return out, err
}

// shiftsFrom reads everybody's shifts in every store.
func shiftsFrom(ctx context.Context, tx *db.Tx, from, to string) ([]Shift, error) {
	var out []Shift
	err := tx.Select(ctx, &out, `SELECT `+shiftColumns+` FROM roster_shifts WHERE biz_day BETWEEN ? AND ? ORDER BY biz_day, staff_id, starts`, from, to)
	return out, err
}

func deleteShifts(ctx context.Context, tx *db.Tx, staffID, storeID int64, day string) error {
	_, err := tx.Exec(ctx, `DELETE FROM roster_shifts WHERE staff_id = ? AND store_id = ? AND biz_day = ?`, staffID, storeID, day)
	return err
}

func insertShifts(ctx context.Context, tx *db.Tx, shifts []Shift) error {
	type row struct {
		Shift
		CreatedAt int64 `db:"created_at"`
	}
	var rows []row
	for _, x := range shifts {
		rows = append(rows, row{x, tx.Millis()})
	}
	return tx.Insert(ctx, "roster_shifts", rows)
}
