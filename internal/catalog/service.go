package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fresh"
)

// Stores tells which stores exist; it is shop.Service.
type Stores interface {
	Known(ctx context.Context, id int64) (bool, error)
}

// Service keeps the catalogue.
type Service struct {
	db     *db.DB
	stores Stores
	copy   fresh.Value[*offer]
}

// New returns the service.
func New(d *db.DB, stores Stores) *Service { return &Service{db: d, stores: stores} }

// now reads the catalogue through r, which inside a transaction is the transaction: no second connection is needed.
func (s *Service) now(ctx context.Context, r db.Reader) (*offer, error) {
	return s.copy.Get(ctx, s.db.Now(), func(ctx context.Context) (*offer, error) { return readOffer(ctx, r) })
}

// Items resolves what is to be sold in a store for a class of vehicle, in the order of refs. Faults: request.invalid
// (no or too many items), catalog.vehicle_class_unknown, catalog.items_unavailable with a field "items[i]" for every
// item that is unknown, inactive, not offered in the store, without a price for the class, or of a wrong quantity.
func (s *Service) Items(ctx context.Context, r db.Reader, storeID, vehicleClassID int64, refs []Ref) ([]Item, error) {
	o, err := s.now(ctx, r)
	if err != nil {
		return nil, err
	}
	return o.items(storeID, vehicleClassID, refs)
}

// TopupPlan returns a plan that a store offers now. Fault: catalog.plan_unavailable.
func (s *Service) TopupPlan(ctx context.Context, r db.Reader, storeID, id int64) (TopupPlan, error) {
	o, err := s.now(ctx, r)
	if err != nil {
		return TopupPlan{}, err
	}
	i, ok := o.planByID[id]
	if !ok || !o.plans[i].Active || !sold(o.plans[i].StoreIDs, storeID) {
		return TopupPlan{}, ErrPlan.On("planId", "请重新选择充值活动")
	}
	return o.plans[i], nil
}

// TopupPlans lists the plans that a store offers now; with storeID 0 those that every store offers.
func (s *Service) TopupPlans(ctx context.Context, storeID int64) ([]TopupPlan, error) {
	o, err := s.now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	out := []TopupPlan{}
	for _, p := range o.plans {
		if p.Active && sold(p.StoreIDs, storeID) {
			out = append(out, p)
		}
	}
	return out, nil
}

// VehicleClassName names a class, also an inactive one; "" for id 0. Fault: catalog.vehicle_class_unknown.
func (s *Service) VehicleClassName(ctx context.Context, r db.Reader, id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	o, err := s.now(ctx, r)
	if err != nil {
		return "", err
	}
	i, ok := o.classByID[id]
	if !ok {
		return "", ErrClass.On("vehicleClassId", "请重新选择车型")
	}
	return o.classes[i].Name, nil
}

// VehicleClasses lists the classes; with activeOnly those that can be chosen now.
func (s *Service) VehicleClasses(ctx context.Context, activeOnly bool) ([]VehicleClass, error) {
	o, err := s.now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return filter(o.classes, activeOnly, func(v VehicleClass) bool { return v.Active }), nil
}

// Services lists every service.
func (s *Service) Services(ctx context.Context) ([]ServiceItem, error) {
	o, err := s.now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return slices.Clone(o.services), nil
}

// ServiceKinds maps every service to its kind; inside a transaction it reads through it.
func (s *Service) ServiceKinds(ctx context.Context, r db.Reader) (map[int64]string, error) {
	o, err := s.now(ctx, r)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]string, len(o.services))
	for _, v := range o.services {
		out[v.ID] = v.Kind
	}
	return out, nil
}

// Goods lists every good.
func (s *Service) Goods(ctx context.Context) ([]Good, error) {
	o, err := s.now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return slices.Clone(o.goods), nil
}

// Plans lists every top-up plan.
func (s *Service) Plans(ctx context.Context) ([]TopupPlan, error) {
	o, err := s.now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return slices.Clone(o.plans), nil
}

func filter[T any](rows []T, only bool, keep func(T) bool) []T {
	out := make([]T, 0, len(rows))
	for _, v := range rows {
		if !only || keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// checkStores complains about ids that are no store.
func (s *Service) checkStores(ctx context.Context, c *complaints, ids []int64) error {
	for i, id := range ids {
		ok, err := s.stores.Known(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			c.Bad(fmt.Sprintf("storeIds[%d]", i), "没有这家门店")
		}
	}
	return nil
}

// change runs one write of the catalogue: the audit entry and the fresh copy go with it.
func (s *Service) change(ctx context.Context, action, kind string, write func(ctx context.Context, tx *db.Tx) (id int64, label string, detail any, err error)) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		id, label, detail, err := write(ctx, tx)
		if err != nil {
			return err
		}
		tx.AfterCommit(s.copy.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: kind, SubjectID: id, SubjectLabel: label, Detail: detail})
	})
}

// diff is the audit detail of a change.
type diff[T any] struct {
	Before T `json:"before"`
	After  T `json:"after"`
}

func wanted(in *bool, old bool) bool {
	if in == nil {
		return old
	}
	return *in
}
