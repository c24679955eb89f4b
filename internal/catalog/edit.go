package catalog

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// CreateVehicleClass adds a class. Faults: request.invalid, catalog.name_taken.
func (s *Service) CreateVehicleClass(ctx context.Context, in VehicleClassInput) (v VehicleClass, err error) {
	if err = in.check().Err(); err != nil {
		return v, err
	}
	err = s.change(ctx, "vehicle_class.create", "vehicle_class", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		v = VehicleClass{tx.NewID(), in.Name, in.Example, in.Sort, wanted(in.Active, true)}
		return v.ID, v.Name, v, insertClass(ctx, tx, v)
	})
	return v, err
}

// UpdateVehicleClass changes a class. Faults: not_found, request.invalid, catalog.name_taken.
func (s *Service) UpdateVehicleClass(ctx context.Context, id int64, in VehicleClassInput) (v VehicleClass, err error) {
	if err = in.check().Err(); err != nil {
		return v, err
	}
	err = s.change(ctx, "vehicle_class.update", "vehicle_class", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		old, err := lockClass(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		v = VehicleClass{id, in.Name, in.Example, in.Sort, wanted(in.Active, old.Active)}
		return id, v.Name, diff[VehicleClass]{old, v}, updateClass(ctx, tx, v)
	})
	return v, err
}

// RetireVehicleClass deactivates a class; prices for it stay and rest. Fault: not_found.
func (s *Service) RetireVehicleClass(ctx context.Context, id int64) error {
	return s.change(ctx, "vehicle_class.delete", "vehicle_class", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		v, err := lockClass(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		v.Active = false
		return id, v.Name, nil, updateClass(ctx, tx, v)
	})
}

func (in ServiceInput) item(id int64, active, bookable bool) ServiceItem {
	v := ServiceItem{ID: id, Name: in.Name, Description: in.Description, Kind: in.Kind, Minutes: in.Minutes, Prices: slices.Clone(in.Prices),
		StoreIDs: slices.Clone(in.StoreIDs), Active: active, Sort: in.Sort, PointsEach: in.PointsEach, Booking: in.booking(bookable)}
	if in.MinPriceBP != nil {
		v.MinPriceBP = *in.MinPriceBP
	}
	slices.SortFunc(v.Prices, func(a, b Price) int { return int(a.VehicleClassID - b.VehicleClassID) })
	slices.Sort(v.StoreIDs)
	return v
}

func (s *Service) checkService(ctx context.Context, tx *db.Tx, in *ServiceInput) error {
	known, err := knownClasses(ctx, tx)
	if err != nil {
		return err
	}
	c := in.check(func(id int64) bool { return known[id] })
	if err := s.checkStores(ctx, c, in.StoreIDs); err != nil {
		return err
	}
	return c.Err()
}

// CreateService adds a service. Faults: request.invalid, catalog.name_taken.
func (s *Service) CreateService(ctx context.Context, in ServiceInput) (v ServiceItem, err error) {
	err = s.change(ctx, "service.create", "service", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		if err := s.checkService(ctx, tx, &in); err != nil {
			return 0, "", nil, err
		}
		v = in.item(tx.NewID(), wanted(in.Active, true), true)
		return v.ID, v.Name, v, insertService(ctx, tx, v)
	})
	return v, err
}

// UpdateService changes a service with all its prices; a bill that was quoted before is quoted again at settlement.
// Faults: not_found, request.invalid, catalog.name_taken.
func (s *Service) UpdateService(ctx context.Context, id int64, in ServiceInput) (v ServiceItem, err error) {
	err = s.change(ctx, "service.update", "service", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		old, err := lockService(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		if err := s.checkService(ctx, tx, &in); err != nil {
			return 0, "", nil, err
		}
		v = in.item(id, wanted(in.Active, old.Active), old.Bookable)
		return id, v.Name, diff[ServiceItem]{old, v}, updateService(ctx, tx, v)
	})
	return v, err
}

// RetireService deactivates a service. Fault: not_found.
func (s *Service) RetireService(ctx context.Context, id int64) error {
	return s.change(ctx, "service.delete", "service", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		v, err := lockService(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		v.Active = false
		return id, v.Name, nil, updateService(ctx, tx, v)
	})
}

func (in GoodInput) good(id int64, active bool) Good {
	v := Good{ID: id, Name: in.Name, Unit: in.Unit, PriceFen: in.PriceFen, Active: active, Sort: in.Sort, PointsEach: in.PointsEach}
	if in.MinPriceBP != nil {
		v.MinPriceBP = *in.MinPriceBP
	}
	return v
}

// CreateGood adds a good. Faults: request.invalid, catalog.name_taken.
func (s *Service) CreateGood(ctx context.Context, in GoodInput) (v Good, err error) {
	if err = in.check().Err(); err != nil {
		return v, err
	}
	err = s.change(ctx, "good.create", "good", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		v = in.good(tx.NewID(), wanted(in.Active, true))
		return v.ID, v.Name, v, insertGood(ctx, tx, v)
	})
	return v, err
}

// UpdateGood changes a good. Faults: not_found, request.invalid, catalog.name_taken.
func (s *Service) UpdateGood(ctx context.Context, id int64, in GoodInput) (v Good, err error) {
	if err = in.check().Err(); err != nil {
		return v, err
	}
	err = s.change(ctx, "good.update", "good", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		old, err := lockGood(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		v = in.good(id, wanted(in.Active, old.Active))
		return id, v.Name, diff[Good]{old, v}, updateGood(ctx, tx, v)
	})
	return v, err
}

// RetireGood deactivates a good. Fault: not_found.
func (s *Service) RetireGood(ctx context.Context, id int64) error {
	return s.change(ctx, "good.delete", "good", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		v, err := lockGood(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		v.Active = false
		return id, v.Name, nil, updateGood(ctx, tx, v)
	})
}

func (in TopupPlanInput) plan(id int64, active bool) TopupPlan {
	v := TopupPlan{ID: id, Name: in.Name, AmountFen: in.AmountFen, BonusFen: in.BonusFen, Note: in.Note, Active: active, Sort: in.Sort,
		StoreIDs: slices.Clone(in.StoreIDs)}
	slices.Sort(v.StoreIDs)
	return v
}

func (s *Service) checkPlan(ctx context.Context, in *TopupPlanInput) error {
	c := in.check()
	if err := s.checkStores(ctx, c, in.StoreIDs); err != nil {
		return err
	}
	return c.Err()
}

// CreatePlan adds a top-up plan. Faults: request.invalid, catalog.name_taken.
func (s *Service) CreatePlan(ctx context.Context, in TopupPlanInput) (v TopupPlan, err error) {
	if err = s.checkPlan(ctx, &in); err != nil {
		return v, err
	}
	err = s.change(ctx, "topup_plan.create", "topup_plan", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		v = in.plan(tx.NewID(), wanted(in.Active, true))
		return v.ID, v.Name, v, insertPlan(ctx, tx, v)
	})
	return v, err
}

// UpdatePlan changes a top-up plan; top-ups that were begun keep the bonus that they were promised.
// Faults: not_found, request.invalid, catalog.name_taken.
func (s *Service) UpdatePlan(ctx context.Context, id int64, in TopupPlanInput) (v TopupPlan, err error) {
	if err = s.checkPlan(ctx, &in); err != nil {
		return v, err
	}
	err = s.change(ctx, "topup_plan.update", "topup_plan", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		old, err := lockPlan(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		v = in.plan(id, wanted(in.Active, old.Active))
		return id, v.Name, diff[TopupPlan]{old, v}, updatePlan(ctx, tx, v)
	})
	return v, err
}

// RetirePlan deactivates a top-up plan. Fault: not_found.
func (s *Service) RetirePlan(ctx context.Context, id int64) error {
	return s.change(ctx, "topup_plan.delete", "topup_plan", func(ctx context.Context, tx *db.Tx) (int64, string, any, error) {
		v, err := lockPlan(ctx, tx, id)
		if err != nil {
			return 0, "", nil, err
		}
		v.Active = false
		return id, v.Name, nil, updatePlan(ctx, tx, v)
	})
}
