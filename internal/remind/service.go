package remind

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
)

// Visits tells when cars were washed, and who comes anyway.
type Visits interface {
	// Washes are the settled bills of members with one of the services since a business date, those of a member by day.
	Washes(ctx context.Context, members, services []int64, since string) ([]Wash, error)
	// Booked are those of the members who have a booking that is open.
	Booked(ctx context.Context, members []int64) (map[int64]bool, error)
}

// Deps are what the slice works with.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Queue    *jobs.Queue
	Members  *member.Service
	Messages *notify.Service
	Settings *setting.Service
	Shops    *shop.Service
	Catalog  *catalog.Service
	Tiers    *tier.Service
	Visits   Visits
	Gifts    func(ctx context.Context, members []int64, day string) (map[int64]string, error) // what members were given for a birthday around a day, by name
}

// Service reminds.
type Service struct{ Deps }

// New returns the service and registers its jobs.
func New(d Deps) *Service {
	s := &Service{d}
	s.jobs(d.Queue)
	return s
}

// today is the date in China: what a car needs is due there, wherever the store is.
func (s *Service) today() string { return bizday.Of(s.DB.Now(), bizday.DefaultZone) }

func (s *Service) storeName(ctx context.Context, id int64) string {
	st, err := s.Shops.Store(ctx, id)
	if err != nil {
		return "" // the member belongs to none
	}
	return st.Name
}

// byCar splits washes into those of each car.
func byCar(list []Wash) iter.Seq[[]Wash] {
	slices.SortStableFunc(list, func(a, b Wash) int {
		return cmp.Or(cmp.Compare(a.MemberID, b.MemberID), cmp.Compare(a.Plate, b.Plate), cmp.Compare(a.Day, b.Day))
	})
	return func(yield func([]Wash) bool) {
		for from := 0; from < len(list); {
			to := from + 1
			for to < len(list) && list[to].MemberID == list[from].MemberID && list[to].Plate == list[from].Plate {
				to++
			}
			if !yield(list[from:to]) {
				return
			}
			from = to
		}
	}
}

// Care is a car with what is known of it and what it needs.
type Care struct {
	Vehicle member.Vehicle
	Car     Car
	Dues    []Due
	Wash    *Rhythm // nil without a rhythm
}

// Cars are a member's cars with what each of them needs.
func (s *Service) Cars(ctx context.Context, memberID int64) ([]Care, error) {
	vehicles, err := s.Members.Vehicles(ctx, memberID)
	if err != nil || len(vehicles) == 0 {
		return nil, err
	}
	known, err := carsOf(ctx, s.DB, memberID)
	if err != nil {
		return nil, err
	}
	b, err := readBook(ctx, s.DB, "")
	if err != nil {
		return nil, err
	}
	washes, err := s.washes(ctx, []int64{memberID})
	if err != nil {
		return nil, err
	}
	rhythms := map[string]Rhythm{}
	for group := range byCar(washes) {
		list := make([]string, len(group))
		for i, w := range group {
			list[i] = w.Day
		}
		if r, ok := rhythmOf(list, b.terms[notify.NextWash].Least); ok {
			rhythms[group[0].Plate] = r
		}
	}
	today := s.today()
	out := make([]Care, 0, len(vehicles))
	for _, v := range vehicles {
		c, ok := known[v.ID]
		if !ok {
			c = begun(v, memberID)
		}
		x := Care{Vehicle: v, Car: c, Dues: b.dues(c, today)}
		if r, ok := rhythms[v.Plate]; ok && today < r.Gone {
			x.Wash = &r
		}
		out = append(out, x)
	}
	return out, nil
}

// begun is a car of which nobody has told anything yet.
func begun(v member.Vehicle, memberID int64) Car {
	return Car{VehicleID: v.ID, MemberID: memberID, Kind: Private}
}

// care is one of a member's cars. Fault: not_found.
func (s *Service) care(ctx context.Context, memberID, vehicleID int64) (Care, error) {
	all, err := s.Cars(ctx, memberID)
	if err != nil {
		return Care{}, err
	}
	for _, x := range all {
		if x.Vehicle.ID == vehicleID {
			return x, nil
		}
	}
	return Care{}, fault.ErrNotFound
}

// Input is what somebody tells of a car.
type Input struct {
	Kind         string `json:"kind" maxLength:"16" doc:"Kind of vehicle, of the list"`
	RegisteredOn string `json:"registeredOn,omitempty" maxLength:"10" doc:"First registration, YYYY-MM-DD"`
	InsuredTo    string `json:"insuredTo,omitempty" maxLength:"10" doc:"Last day of the insurance"`
	ServicedOn   string `json:"servicedOn,omitempty" maxLength:"10" doc:"Last maintenance"`
	ServicedKm   int64  `json:"servicedKm,omitempty" minimum:"0" maximum:"5000000" doc:"The odometer then; 0: not known"`
	EveryKm      int64  `json:"everyKm,omitempty" minimum:"0" maximum:"100000" doc:"The car's own interval; 0: the shop's when everyMonths is 0 too"`
	EveryMonths  int    `json:"everyMonths,omitempty" minimum:"0" maximum:"60"`
	Km           int64  `json:"km,omitempty" minimum:"0" maximum:"5000000" doc:"The odometer now; 0: not known"`
}

// check says what is wrong with an input; nil when nothing is.
func (in Input) check(t Table, today string) error {
	var c fault.Complaints
	date := func(field, v, from, to, help string) {
		if v != "" && (!bizday.Valid(v) || v < from || v > to) {
			c.Bad(field, help)
		}
	}
	if !slices.ContainsFunc(t.Kinds, func(k Kind) bool { return k.Kind == in.Kind }) {
		c.Bad("kind", "请选择车辆类型")
	}
	date("registeredOn", in.RegisteredOn, "1950-01-01", today, "请填写行驶证上的注册日期，不晚于今天")
	date("servicedOn", in.ServicedOn, max("1950-01-01", in.RegisteredOn), today, "请填写上次保养的日期，在注册日期与今天之间")
	date("insuredTo", in.InsuredTo, addMonths(today, -60), addMonths(today, 36), "请填写保单的到期日")
	if in.ServicedKm > 0 && in.ServicedOn == "" {
		c.Bad("servicedOn", "请填写上次保养的日期")
	}
	if in.Km > 0 && in.ServicedKm > in.Km {
		c.Bad("km", "当前里程不能小于上次保养时的里程")
	}
	if in.EveryKm > 0 && in.EveryKm < 1000 {
		c.Bad("everyKm", "保养间隔至少 1000 公里")
	}
	return c.First()
}

// Tell keeps what somebody tells of a member's car. Faults: not_found, request.invalid, request.conflict.
func (s *Service) Tell(ctx context.Context, memberID, vehicleID int64, in Input) (Care, error) {
	return s.change(ctx, memberID, vehicleID, func(c *Car, b book, today string) error {
		if err := in.check(b.table, today); err != nil {
			return err
		}
		if c.RegisteredOn != in.RegisteredOn || c.Kind != in.Kind {
			c.InspectedTo = "" // it was about another schedule
		}
		c.Kind, c.RegisteredOn, c.InsuredTo, c.ServicedOn, c.ServicedKm = in.Kind, in.RegisteredOn, in.InsuredTo, in.ServicedOn, in.ServicedKm
		c.EveryKm, c.EveryMonths = in.EveryKm, in.EveryMonths
		c.read(in.Km, today)
		return nil
	})
}

// read notes what the odometer shows; 0 forgets it.
func (c *Car) read(km int64, on string) {
	if km == c.Km {
		return
	}
	if c.Km, c.KmOn = km, on; km == 0 {
		c.KmOn = ""
	}
}

// DoneInput is that something was done.
type DoneInput struct {
	Event string `json:"event" enum:"inspection_due,insurance_due,maintenance_due"`
	On    string `json:"on,omitempty" maxLength:"10" doc:"Maintenance: when, today when absent. Insurance: its new last day, a year after the old one when absent"`
	Km    int64  `json:"km,omitempty" minimum:"0" maximum:"5000000" doc:"Maintenance: what the odometer showed"`
}

// Done notes that something was done, so that the next date counts. Faults: not_found, request.invalid, remind.nothing_due.
func (s *Service) Done(ctx context.Context, memberID, vehicleID int64, in DoneInput) (Care, error) {
	return s.change(ctx, memberID, vehicleID, func(c *Car, b book, today string) error { return c.done(in, b, today) })
}

// early is from how many days before its end an inspection may be done: within three months.
const early = 93

// done moves a car on to its next date. It is pure.
func (c *Car) done(in DoneInput, b book, today string) error {
	var bad fault.Complaints
	switch in.Event {
	case notify.InspectionDue:
		next := nextInspection(b.table.of(c.Kind), c.RegisteredOn, c.InspectedTo, today)
		if next.On == "" || days(today, next.On) > early {
			return ErrNoDue
		}
		c.InspectedTo = next.On
	case notify.InsuranceDue:
		to := in.On
		if to == "" && c.InsuredTo != "" {
			to = addMonths(c.InsuredTo, 12)
		}
		if !bizday.Valid(to) || to < today || to > addMonths(today, 36) {
			bad.Bad("on", "请填写新保单的到期日")
		}
		c.InsuredTo = to
	case notify.MaintenanceDue:
		on := cmp.Or(in.On, today)
		if !bizday.Valid(on) || on > today || on < c.ServicedOn || on < c.RegisteredOn {
			bad.Bad("on", "请填写保养的日期，不早于上次，不晚于今天")
		}
		if in.Km > 0 && in.Km < c.ServicedKm {
			bad.Bad("km", "里程不能小于上次保养时的里程")
		}
		c.ServicedOn, c.ServicedKm = on, in.Km
		if in.Km >= c.Km {
			c.read(in.Km, on)
		}
	default:
		return ErrRule
	}
	return bad.First()
}

// change changes what is known of a member's car. Faults: not_found, request.conflict, those of fn.
func (s *Service) change(ctx context.Context, memberID, vehicleID int64, fn func(c *Car, b book, today string) error) (Care, error) {
	was, err := s.care(ctx, memberID, vehicleID)
	if err != nil {
		return Care{}, err
	}
	today := s.today()
	err = s.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := readBook(ctx, tx, "")
		if err != nil {
			return err
		}
		if err := s.Members.HasVehicleTx(ctx, tx, memberID, vehicleID); err != nil {
			return err
		}
		c, known, err := lockCar(ctx, tx, vehicleID)
		if err != nil {
			return err
		}
		if !known {
			c = begun(was.Vehicle, memberID)
		}
		c.MemberID = memberID
		if err := fn(&c, b, today); err != nil {
			return err
		}
		if actor.From(ctx).Kind == actor.Owner {
			c.SeenOn = today
		}
		if err := putCar(ctx, tx, b.row(c, today, tx.Millis()), known); err != nil {
			return err
		}
		if c.Km > 0 {
			if err := s.Members.NoteMileageTx(ctx, tx, vehicleID, c.Km); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "vehicle.care", SubjectKind: "member", SubjectID: memberID, SubjectLabel: was.Vehicle.Plate,
			Detail: map[string]any{"vehicleId": vehicleID, "kind": c.Kind, "registeredOn": c.RegisteredOn, "inspectedTo": c.InspectedTo, "insuredTo": c.InsuredTo, "servicedOn": c.ServicedOn,
				"servicedKm": c.ServicedKm, "km": c.Km}})
	})
	if err != nil {
		return Care{}, err
	}
	return s.care(ctx, memberID, vehicleID)
}

// VehicleTx hears that a car of a member was changed or removed: a new reading of the odometer counts, and of a car that is gone nothing is kept.
func (s *Service) VehicleTx(ctx context.Context, tx *db.Tx, v member.VehicleChange) error {
	if v.Gone {
		return dropCar(ctx, tx, v.ID)
	}
	if v.MileageKm == nil || *v.MileageKm == 0 {
		return nil
	}
	c, known, err := lockCar(ctx, tx, v.ID)
	if err != nil || !known || c.Km == *v.MileageKm {
		return err
	}
	b, err := readBook(ctx, tx, "")
	if err != nil {
		return err
	}
	today := bizday.Of(tx.Now, bizday.DefaultZone)
	c.read(*v.MileageKm, today)
	return putCar(ctx, tx, b.row(c, today, tx.Millis()), true)
}

// Choice is what a shop chooses of a rule.
type Choice struct {
	On    bool  `json:"on"`
	Value int64 `json:"value,omitempty" minimum:"0" maximum:"100000" doc:"Of a rule that is set by one number: days, minutes or the hour, by its unit"`
	Terms Terms `json:"terms" doc:"Of the other rules"`
}

// Choose keeps what a shop chose of a rule. Faults: remind.rule_unknown, request.invalid.
func (s *Service) Choose(ctx context.Context, event string, in Choice) error {
	rule, err := ruleOf(event)
	if err != nil {
		return err
	}
	if rule.ours() {
		if err := rule.check(in.Terms); err != nil {
			return err
		}
	}
	return s.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.Messages.SwitchTx(ctx, tx, event, in.On); err != nil {
			return err
		}
		switch {
		case rule.ours():
			return s.chooseTx(ctx, tx, rule, in.Terms)
		case rule.Setting != nowhere:
			return s.Settings.SetTx(ctx, tx, rule.Setting, in.Value)
		}
		return nil
	})
}

func (s *Service) chooseTx(ctx context.Context, tx *db.Tx, rule Rule, t Terms) error {
	b, err := readBook(ctx, tx, tx.ForUpdate())
	if err != nil {
		return err
	}
	was := b.terms[rule.Event]
	if fmt.Sprint(was) == fmt.Sprint(t) {
		return nil
	}
	if err := putTerms(ctx, tx, rule.Event, t); err != nil {
		return err
	}
	if rule.Event == notify.MaintenanceDue {
		if err := s.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobRedate, Payload: struct{}{}}); err != nil {
			return err
		}
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "remind.terms", SubjectKind: "setting", SubjectLabel: rule.Help, Detail: map[string]any{"event": rule.Event, "from": was, "to": t}})
}

// Inspections is the table that counts.
func (s *Service) Inspections(ctx context.Context) (Table, error) {
	b, err := readBook(ctx, s.DB, "")
	return b.table, err
}

// SetInspections changes the table; the dates of all cars follow. Fault: request.invalid.
func (s *Service) SetInspections(ctx context.Context, t Table) error {
	if err := t.check(); err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := readBook(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		if err := putTerms(ctx, tx, tableName, t); err != nil {
			return err
		}
		if err := s.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobRedate, Payload: struct{}{}}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "remind.table", SubjectKind: "setting", SubjectLabel: "年检周期", Detail: map[string]any{"from": b.table, "to": t}})
	})
}

// Count is how many reminders of a rule fall on a day.
type Count struct {
	Day   string `json:"day"`
	Event string `json:"event"`
	N     int    `json:"n"`
}

// Preview says how many reminders fall on today and the six days after it, at most: who is suspended, has just been told or booked meanwhile is
// left out when the day comes. Washes and tiers are as of the last run.
func (s *Service) Preview(ctx context.Context) (out []Count, err error) {
	b, err := readBook(ctx, s.DB, "")
	if err != nil {
		return nil, err
	}
	today := s.today()
	runs, err := lastRuns(ctx, s.DB, bizday.Add(today, 1-outlook))
	if err != nil {
		return nil, err
	}
	add := func(day, event string, n int) {
		if n > 0 && day >= today && day < bizday.Add(today, outlook) {
			out = append(out, Count{day, event, n})
		}
	}
	for _, r := range Rules() {
		switch {
		case !r.ours():
		case dueColumns[r.Event] != "":
			for _, d := range b.terms[r.Event].Days {
				rows, err := countDue(ctx, s.DB, r.Event, bizday.Add(today, d), bizday.Add(today, d+outlook-1))
				if err != nil {
					return nil, err
				}
				for _, x := range rows {
					add(bizday.Add(x.Day, -d), r.Event, x.N)
				}
			}
		case r.Event == notify.Birthday:
			for i := range outlook {
				day := bizday.Add(today, i)
				n, err := s.Members.BornCount(ctx, birthdays(day))
				if err != nil {
					return nil, err
				}
				add(day, r.Event, n)
			}
		default:
			if run, ok := runs[r.Event]; ok {
				add(run.Day, r.Event, int(run.Told))
				for i, n := range run.counts() {
					add(bizday.Add(run.Day, i), r.Event, n)
				}
			}
		}
	}
	return out, nil
}
