package catalog

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

const (
	classColumns   = `id, name, example, sort_no, active`
	serviceColumns = `id, name, description, kind, minutes, min_price_bp, active, sort_no, points_each, ` + termColumns
	termColumns    = `bookable, booking_kinds, bay_kind, skill, min_level, changeover_minutes, deposit_fen, free_cancel_hours, image`
	goodColumns    = `id, name, unit, price_fen, min_price_bp, active, sort_no, points_each`
	planColumns    = `id, name, amount_fen, bonus_fen, note, active, sort_no`
)

// stamps are the columns that every entry has beside its own.
type stamps struct {
	LiveName  *string `db:"live_name"` // the name while active: unique then, free afterwards
	CreatedAt int64   `db:"created_at"`
	UpdatedAt int64   `db:"updated_at"`
}

func stamp(tx *db.Tx, name string, active bool) stamps {
	return stamps{liveName(name, active), tx.Millis(), tx.Millis()}
}

func liveName(name string, active bool) *string {
	if active {
		return &name
	}
	return nil
}

func taken(err error) error {
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

type storeRow struct {
	OwnerID int64 `db:"owner_id"`
	StoreID int64 `db:"store_id"`
}

// readOffer reads the whole catalogue: a few hundred rows at most.
func readOffer(ctx context.Context, r db.Reader) (*offer, error) {
	o := &offer{}
	var prices []struct {
		ServiceID int64 `db:"service_id"`
		Price
	}
	var services []serviceRow
	var stores, planStores []storeRow
	for _, q := range []struct {
		dest any
		sql  string
	}{
		{&o.classes, `SELECT ` + classColumns + ` FROM catalog_vehicle_classes`},
		{&services, `SELECT ` + serviceColumns + ` FROM catalog_services`},
		{&prices, `SELECT service_id, vehicle_class_id, price_fen, minutes FROM catalog_service_prices ORDER BY service_id, vehicle_class_id`},
		{&stores, `SELECT service_id AS owner_id, store_id FROM catalog_service_stores ORDER BY service_id, store_id`},
		{&o.goods, `SELECT ` + goodColumns + ` FROM catalog_goods`},
		{&o.plans, `SELECT ` + planColumns + ` FROM catalog_plans`},
		{&planStores, `SELECT plan_id AS owner_id, store_id FROM catalog_plan_stores ORDER BY plan_id, store_id`},
	} {
		if err := r.Select(ctx, q.dest, q.sql); err != nil {
			return nil, err
		}
	}
	for _, v := range services {
		o.services = append(o.services, v.item())
	}
	o.index()
	for _, p := range prices {
		if i, ok := o.serviceByID[p.ServiceID]; ok {
			o.services[i].Prices = append(o.services[i].Prices, p.Price)
		}
	}
	for _, st := range stores {
		if i, ok := o.serviceByID[st.OwnerID]; ok {
			o.services[i].StoreIDs = append(o.services[i].StoreIDs, st.StoreID)
		}
	}
	for _, st := range planStores {
		if i, ok := o.planByID[st.OwnerID]; ok {
			o.plans[i].StoreIDs = append(o.plans[i].StoreIDs, st.StoreID)
		}
	}
	return o, nil
}

func insertClass(ctx context.Context, tx *db.Tx, v VehicleClass) error {
	return taken(tx.Insert(ctx, "catalog_vehicle_classes", struct {
		VehicleClass
		stamps
	}{v, stamp(tx, v.Name, v.Active)}))
}

func lockClass(ctx context.Context, tx *db.Tx, id int64) (v VehicleClass, err error) {
	err = tx.Get(ctx, &v, `SELECT `+classColumns+` FROM catalog_vehicle_classes WHERE id = ?`+tx.ForUpdate(), id)
	return v, err
}

func updateClass(ctx context.Context, tx *db.Tx, v VehicleClass) error {
	_, err := tx.Exec(ctx, `UPDATE catalog_vehicle_classes SET name = ?, live_name = ?, example = ?, sort_no = ?, active = ?, updated_at = ?
		WHERE id = ?`, v.Name, liveName(v.Name, v.Active), v.Example, v.Sort, v.Active, tx.Millis(), v.ID)
	return taken(err)
}

// knownClasses reads the ids of all vehicle classes, active or not: a price for one that rests is kept.
func knownClasses(ctx context.Context, tx *db.Tx) (map[int64]bool, error) {
	var ids []int64
	err := tx.Select(ctx, &ids, `SELECT id FROM catalog_vehicle_classes`+tx.ForUpdate())
	known := map[int64]bool{}
	for _, id := range ids {
		known[id] = true
	}
	return known, err
}

type serviceRow struct {
	ID          int64    `db:"id"`
	Name        string   `db:"name"`
	Description string   `db:"description"`
	Kind        string   `db:"kind"`
	Minutes     int      `db:"minutes"`
	MinPriceBP  money.BP `db:"min_price_bp"`
	Active      bool     `db:"active"`
	Sort        int      `db:"sort_no"`
	PointsEach  *int64   `db:"points_each"`
	termRow
}

func (v ServiceItem) row() serviceRow {
	return serviceRow{v.ID, v.Name, v.Description, v.Kind, v.Minutes, v.MinPriceBP, v.Active, v.Sort, v.PointsEach, v.Booking.row()}
}

func (r serviceRow) item() ServiceItem {
	return ServiceItem{ID: r.ID, Name: r.Name, Description: r.Description, Kind: r.Kind, Minutes: r.Minutes, MinPriceBP: r.MinPriceBP, Active: r.Active,
		Sort: r.Sort, PointsEach: r.PointsEach, Booking: r.termRow.booking(r.Kind)}
}

func insertService(ctx context.Context, tx *db.Tx, v ServiceItem) error {
	err := tx.Insert(ctx, "catalog_services", struct {
		serviceRow
		stamps
	}{v.row(), stamp(tx, v.Name, v.Active)})
	if err != nil {
		return taken(err)
	}
	return insertServiceParts(ctx, tx, v)
}

func lockService(ctx context.Context, tx *db.Tx, id int64) (v ServiceItem, err error) {
	var r serviceRow
	if err = tx.Get(ctx, &r, `SELECT `+serviceColumns+` FROM catalog_services WHERE id = ?`+tx.ForUpdate(), id); err != nil {
		return v, err
	}
	v = r.item()
	if err = tx.Select(ctx, &v.Prices, `SELECT vehicle_class_id, price_fen, minutes FROM catalog_service_prices WHERE service_id = ?
		ORDER BY vehicle_class_id`+tx.ForUpdate(), id); err != nil {
		return v, err
	}
	err = tx.Select(ctx, &v.StoreIDs, `SELECT store_id FROM catalog_service_stores WHERE service_id = ? ORDER BY store_id`+tx.ForUpdate(), id)
	return v, err
}

func updateService(ctx context.Context, tx *db.Tx, v ServiceItem) error {
	_, err := tx.Exec(ctx, `UPDATE catalog_services SET name = ?, live_name = ?, description = ?, kind = ?, minutes = ?, min_price_bp = ?,
		active = ?, sort_no = ?, points_each = ?, bookable = ?, booking_kinds = ?, bay_kind = ?, skill = ?, min_level = ?, changeover_minutes = ?, deposit_fen = ?,
		free_cancel_hours = ?, image = ?, updated_at = ? WHERE id = ?`,
		v.Name, liveName(v.Name, v.Active), v.Description, v.Kind, v.Minutes, v.MinPriceBP, v.Active, v.Sort, v.PointsEach, v.Bookable, v.Booking.row().BookingKinds, v.BayKind, v.Skill,
		v.MinLevel, v.ChangeoverMinutes, v.DepositFen, v.FreeCancelHours, v.Image, tx.Millis(), v.ID)
	if err != nil {
		return taken(err)
	}
	if _, err = tx.Exec(ctx, `DELETE FROM catalog_service_prices WHERE service_id = ?`, v.ID); err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, `DELETE FROM catalog_service_stores WHERE service_id = ?`, v.ID); err != nil {
		return err
	}
	return insertServiceParts(ctx, tx, v)
}

func insertServiceParts(ctx context.Context, tx *db.Tx, v ServiceItem) error {
	type priceRow struct {
		ServiceID int64 `db:"service_id"`
		Price
	}
	var prices []priceRow
	for _, p := range v.Prices {
		prices = append(prices, priceRow{v.ID, p})
	}
	if err := tx.Insert(ctx, "catalog_service_prices", prices); err != nil {
		return err
	}
	type row struct {
		ServiceID int64 `db:"service_id"`
		StoreID   int64 `db:"store_id"`
	}
	var stores []row
	for _, id := range v.StoreIDs {
		stores = append(stores, row{v.ID, id})
	}
	return tx.Insert(ctx, "catalog_service_stores", stores)
}

func insertGood(ctx context.Context, tx *db.Tx, v Good) error {
	return taken(tx.Insert(ctx, "catalog_goods", struct {
		Good
		stamps
	}{v, stamp(tx, v.Name, v.Active)}))
}

func lockGood(ctx context.Context, tx *db.Tx, id int64) (v Good, err error) {
	err = tx.Get(ctx, &v, `SELECT `+goodColumns+` FROM catalog_goods WHERE id = ?`+tx.ForUpdate(), id)
	return v, err
}

func updateGood(ctx context.Context, tx *db.Tx, v Good) error {
	_, err := tx.Exec(ctx, `UPDATE catalog_goods SET name = ?, live_name = ?, unit = ?, price_fen = ?, min_price_bp = ?, active = ?,
		sort_no = ?, points_each = ?, updated_at = ? WHERE id = ?`,
		v.Name, liveName(v.Name, v.Active), v.Unit, v.PriceFen, v.MinPriceBP, v.Active, v.Sort, v.PointsEach, tx.Millis(), v.ID)
	return taken(err)
}

type planRow struct {
	ID        int64     `db:"id"`
	Name      string    `db:"name"`
	AmountFen money.Fen `db:"amount_fen"`
	BonusFen  money.Fen `db:"bonus_fen"`
	Note      string    `db:"note"`
	Active    bool      `db:"active"`
	Sort      int       `db:"sort_no"`
	stamps
}

func insertPlan(ctx context.Context, tx *db.Tx, v TopupPlan) error {
	err := tx.Insert(ctx, "catalog_plans", planRow{v.ID, v.Name, v.AmountFen, v.BonusFen, v.Note, v.Active, v.Sort, stamp(tx, v.Name, v.Active)})
	if err != nil {
		return taken(err)
	}
	return insertPlanStores(ctx, tx, v)
}

func lockPlan(ctx context.Context, tx *db.Tx, id int64) (v TopupPlan, err error) {
	if err = tx.Get(ctx, &v, `SELECT `+planColumns+` FROM catalog_plans WHERE id = ?`+tx.ForUpdate(), id); err != nil {
		return v, err
	}
	err = tx.Select(ctx, &v.StoreIDs, `SELECT store_id FROM catalog_plan_stores WHERE plan_id = ? ORDER BY store_id`+tx.ForUpdate(), id)
	return v, err
}

func updatePlan(ctx context.Context, tx *db.Tx, v TopupPlan) error {
	_, err := tx.Exec(ctx, `UPDATE catalog_plans SET name = ?, live_name = ?, amount_fen = ?, bonus_fen = ?, note = ?, active = ?, sort_no = ?,
		updated_at = ? WHERE id = ?`,
		v.Name, liveName(v.Name, v.Active), v.AmountFen, v.BonusFen, v.Note, v.Active, v.Sort, tx.Millis(), v.ID)
	if err != nil {
		return taken(err)
	}
	if _, err = tx.Exec(ctx, `DELETE FROM catalog_plan_stores WHERE plan_id = ?`, v.ID); err != nil {
		return err
	}
	return insertPlanStores(ctx, tx, v)
}

func insertPlanStores(ctx context.Context, tx *db.Tx, v TopupPlan) error {
	type row struct {
		PlanID  int64 `db:"plan_id"`
		StoreID int64 `db:"store_id"`
	}
	var stores []row
	for _, id := range v.StoreIDs {
		stores = append(stores, row{v.ID, id})
	}
	return tx.Insert(ctx, "catalog_plan_stores", stores)
}
