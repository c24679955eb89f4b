package pass

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type planRow struct {
	ID        int64  `db:"id"`
	Name      string `db:"name"`
	OnSale    bool   `db:"on_sale"`
	Stock     int64  `db:"stock"` // -1: no limit
	Sold      int64  `db:"sold"`
	Sort      int64  `db:"sort_no"`
	Body      string `db:"body"`
	CreatedAt int64  `db:"created_at"`
	UpdatedAt int64  `db:"updated_at"`
}

func (r planRow) plan() (Plan, error) {
	p := Plan{ID: r.ID, Sold: r.Sold}
	err := json.Unmarshal([]byte(r.Body), &p.PlanInput)
	p.Name, p.OnSale, p.Sort, p.Stock = r.Name, r.OnSale, r.Sort, nil
	if r.Stock >= 0 {
		p.Stock = &r.Stock
	}
	return p, err
}

func rowOf(p Plan) planRow {
	r := planRow{ID: p.ID, Name: p.Name, OnSale: p.OnSale, Stock: -1, Sold: p.Sold, Sort: p.Sort, Body: text(p.PlanInput)}
	if p.Stock != nil {
		r.Stock = *p.Stock
	}
	return r
}

const planColumns = `id, name, on_sale, stock, sold, sort_no, body, created_at, updated_at`

func planByID(ctx context.Context, r db.Reader, id int64, lock string) (Plan, error) {
	var row planRow
	err := r.Get(ctx, &row, `SELECT `+planColumns+` FROM pass_plans WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Plan{}, fault.ErrNotFound
	}
	if err != nil {
		return Plan{}, err
	}
	return row.plan()
}

// allPlans reads the plans in the order in which they are shown.
func allPlans(ctx context.Context, r db.Reader) ([]Plan, error) {
	var rows []planRow
	if err := r.Select(ctx, &rows, `SELECT `+planColumns+` FROM pass_plans ORDER BY sort_no, id`); err != nil {
		return nil, err
	}
	out := make([]Plan, 0, len(rows))
	for _, x := range rows {
		p, err := x.plan()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func nameTaken(err error) error {
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

func insertPlan(ctx context.Context, tx *db.Tx, p Plan) error {
	r := rowOf(p)
	r.CreatedAt, r.UpdatedAt = tx.Millis(), tx.Millis()
	return nameTaken(tx.Insert(ctx, "pass_plans", r))
}

func updatePlan(ctx context.Context, tx *db.Tx, p Plan) error {
	r := rowOf(p)
	_, err := tx.Exec(ctx, `UPDATE pass_plans SET name = ?, on_sale = ?, stock = ?, sort_no = ?, body = ?, updated_at = ? WHERE id = ?`,
		r.Name, r.OnSale, r.Stock, r.Sort, r.Body, tx.Millis(), r.ID)
	return nameTaken(err)
}

// reserve counts a sale, so that no more is sold than there is.
func reserve(ctx context.Context, tx *db.Tx, planID int64) error {
	return tx.ExecOne(ctx, ErrSoldOut, `UPDATE pass_plans SET sold = sold + 1 WHERE id = ? AND (stock < 0 OR sold < stock)`, planID)
}

// unreserve gives it back: nobody paid.
func unreserve(ctx context.Context, tx *db.Tx, planID int64) error {
	_, err := tx.Exec(ctx, `UPDATE pass_plans SET sold = sold - 1 WHERE id = ? AND sold > 0`, planID)
	return err
}
