package rain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/shop"
)

// Washes tells what was settled: it belongs to the till.
type Washes interface {
	// Washes lists the settled orders of members in a store, settled in [from, to), after an id in ascending order.
	Washes(ctx context.Context, storeID int64, from, to time.Time, after int64, limit int) ([]Wash, error)
	// Reversed tells which of the orders do not count any more.
	Reversed(ctx context.Context, orderIDs []int64) ([]int64, error)
}

// Bookings tells who is expected; it is booking.Service.
type Bookings interface {
	// Expected lists the members' bookings of a store and date that begin after an instant and were made before another.
	Expected(ctx context.Context, storeID int64, date string, after, madeBefore time.Time) ([]int64, error)
	// ExcuseTx lets the owner move or cancel a booking free of charge until it begins, and says so; false when it did that before.
	ExcuseTx(ctx context.Context, tx *db.Tx, id int64, dedupe, why string) (bool, error)
}

// Deps are what the service needs of the others.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Queue    *jobs.Queue
	Members  *member.Service
	Catalog  *catalog.Service
	Shops    *shop.Service
	Coupons  *coupon.Service
	Passes   *pass.Service
	Messages *notify.Service
	Washes   Washes
	Bookings Bookings
	Weather  Provider // nil: days are marked by hand alone
}

// Service runs the use cases of rain.
type Service struct {
	Deps
	db *db.DB
}

// New returns the service and registers its job.
func New(d Deps) *Service {
	s := &Service{Deps: d, db: d.DB}
	d.Queue.Handle(jobGive, s.giveJob)
	return s
}

// Rule is what rain brings now.
func (s *Service) Rule(ctx context.Context) (Rule, error) { return readRule(ctx, s.db, "") }

// SaveRule changes what later rain brings; days that were marked keep theirs. Faults: request.invalid.
func (s *Service) SaveRule(ctx context.Context, r Rule) (Rule, error) {
	var c fault.Complaints
	r.check(&c)
	if r.TemplateID != 0 {
		if _, err := s.Coupons.TitleOf(ctx, s.db, r.TemplateID); errors.Is(err, coupon.ErrTemplate) {
			c.Bad("templateId", "没有这种优惠券，或已停发，请重新选择")
		} else if err != nil {
			return r, err
		}
	}
	known, err := s.Catalog.Services(ctx)
	if err != nil {
		return r, err
	}
	for i, id := range r.ServiceIDs {
		if !slices.ContainsFunc(known, func(x catalog.ServiceItem) bool { return x.ID == id }) {
			c.Bad(fmt.Sprintf("serviceIds[%d]", i), "没有这个项目，请重新选择")
		}
	}
	if err := c.Err(); err != nil {
		return r, err
	}
	return r, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := readRule(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		if err := saveRule(ctx, tx, r); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "rain.rule", SubjectKind: "setting", SubjectLabel: "雨天保障", Detail: map[string]any{"from": was, "to": r}})
	})
}

// day is what a mark stands for, with the rule of now. Faults: request.invalid, ErrTooOld, fault.ErrStore, not_found.
func (s *Service) day(ctx context.Context, m Mark, source string) (Day, shop.Store, error) {
	var c fault.Complaints
	m.check(&c)
	if err := c.First(); err != nil {
		return Day{}, shop.Store{}, err
	}
	store, err := s.Shops.Store(ctx, m.StoreID)
	if err != nil {
		return Day{}, store, err
	}
	if !actor.From(ctx).InStore(store.ID) {
		return Day{}, store, fault.ErrStore
	}
	now := s.db.Now()
	today := store.BizDay(now)
	if m.Date > today || m.Date < bizday.Add(today, -backDays) {
		return Day{}, store, ErrTooOld.On("date", ErrTooOld.Message)
	}
	rule, err := s.Rule(ctx)
	return Day{StoreID: store.ID, Date: m.Date, FromMinute: m.FromMinute, Source: source, Note: m.Note, Rule: rule, State: Giving, CreatedAt: now}, store, err
}

// Outlook counts what marking a day would bring. Faults: those of Mark but ErrMarked.
func (s *Service) Outlook(ctx context.Context, m Mark) (o Outlook, err error) {
	d, store, err := s.day(ctx, m, Manual)
	if err != nil {
		return o, err
	}
	if d.Rule.Vouchers {
		perMember := map[int64]int{}
		err := s.eachWash(ctx, d, store, func(w Wash) error {
			who, err := s.Members.Holder(ctx, s.db, w.MemberID)
			if err != nil {
				return err
			}
			if _, seen := perMember[who]; !seen {
				n, err := s.vouchersOf(ctx, s.db, who, d.Date[:7])
				if err != nil {
					return err
				}
				perMember[who] = n
			}
			if perMember[who]++; perMember[who] <= d.Rule.PerMonth {
				o.Vouchers++
			}
			return nil
		})
		if err != nil {
			return o, err
		}
	}
	if d.Rule.PassDays > 0 {
		if err := s.eachPass(ctx, d, store, func(int64) error { o.Passes++; return nil }); err != nil {
			return o, err
		}
	}
	if d.Rule.Rebooking {
		ids, err := s.Bookings.Expected(ctx, d.StoreID, d.Date, d.CreatedAt, d.CreatedAt)
		o.Bookings = len(ids)
		return o, err
	}
	return o, nil
}

// MarkDay notes that it rained; a job gives what follows. Faults: request.invalid, ErrTooOld, ErrMarked, fault.ErrStore, not_found.
func (s *Service) MarkDay(ctx context.Context, m Mark) (Day, error) { return s.mark(ctx, m, Manual) }

func (s *Service) mark(ctx context.Context, m Mark, source string) (Day, error) {
	d, store, err := s.day(ctx, m, source)
	if err != nil {
		return d, err
	}
	if !d.Rule.on() {
		d.State = Done // it is kept for the calendar alone
	}
	who := actor.From(ctx)
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		d.ID, d.CreatedAt, d.StaffName = tx.NewID(), tx.Now, db.Clip(who.Name, 64)
		if err := insertDay(ctx, tx, d, who.ID); errors.Is(err, db.ErrDuplicate) {
			return ErrMarked
		} else if err != nil {
			return err
		}
		if d.State == Giving {
			if err := s.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobGive, Payload: givePayload{d.ID}, Dedupe: fmt.Sprintf("%s:%d", jobGive, d.ID)}); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "rain.mark", SubjectKind: "store", SubjectID: d.StoreID, SubjectLabel: store.Name + " " + d.Date, StoreID: d.StoreID,
			Detail: map[string]any{"dayId": d.ID, "fromMinute": d.FromMinute, "note": d.Note, "rule": d.Rule, "source": source}})
	})
	return d, err
}

// DayByID reads a day. Fault: not_found.
func (s *Service) DayByID(ctx context.Context, id int64) (Day, error) {
	return readDay(ctx, s.db, id, "")
}

// Days lists what was marked in a month, "2026-11", of a store in which the caller may act; a date whose mark was undone may stand there more
// than once. Faults: request.invalid, fault.ErrStore.
func (s *Service) Days(ctx context.Context, storeID int64, month string) ([]Day, error) {
	if !actor.From(ctx).InStore(storeID) {
		return nil, fault.ErrStore
	}
	if !bizday.Valid(month + "-01") {
		return nil, fault.ErrInvalid.On("month", "请填写月份，如 2026-11")
	}
	return daysOf(ctx, s.db, storeID, month+"-01", month+"-31")
}

// Undo takes back a day that was marked by mistake, with everything that it brought: all of it or, when something of it was used, nothing. What owners
// of bookings were promised stays. Faults: ErrUsed, ErrPassed, ErrUndone, fault.ErrStore, not_found.
func (s *Service) Undo(ctx context.Context, id int64) (Day, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		d, err := readDay(ctx, tx, id, tx.ForUpdate())
		switch {
		case err != nil:
			return err
		case !actor.From(ctx).InStore(d.StoreID):
			return fault.ErrStore
		case d.State == Undone:
			return ErrUndone
		}
		if err := s.undoVouchersTx(ctx, tx, d); err != nil {
			return err
		}
		if err := s.undoCreditsTx(ctx, tx, d); err != nil {
			return err
		}
		if err := undoDay(ctx, tx, d.ID); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "rain.undo", SubjectKind: "store", SubjectID: d.StoreID, SubjectLabel: d.Date, StoreID: d.StoreID,
			Detail: map[string]any{"dayId": d.ID, "vouchers": d.Vouchers, "passes": d.Passes, "bookings": d.Bookings}})
	})
	if err != nil {
		return Day{}, err
	}
	return s.DayByID(ctx, id)
}

func (s *Service) undoVouchersTx(ctx context.Context, tx *db.Tx, d Day) error {
	list, err := vouchersOn(ctx, tx, d.ID)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b voucherRow) int { return int(min(1, max(-1, a.MemberID-b.MemberID))) }) // locks go in ascending order
	for _, v := range list {
		if _, err := s.Members.StandingTx(ctx, tx, v.MemberID); err != nil {
			return err
		}
		n, err := s.Coupons.TakeBackTx(ctx, tx, v.MemberID, couponKey(d.ID, v.OrderID), 1)
		if err != nil {
			return err
		}
		if n != 1 {
			return ErrUsed
		}
		if err := takeVoucher(ctx, tx, v.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) undoCreditsTx(ctx context.Context, tx *db.Tx, d Day) error {
	list, err := creditsOn(ctx, tx, d.ID)
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := s.Passes.TakeDaysTx(ctx, tx, x.PassID, x.Days, "撤销 "+d.Date+" 雨天顺延"); errors.Is(err, pass.ErrState) {
			return ErrPassed
		} else if err != nil {
			return err
		}
	}
	return freeCredits(ctx, tx, d.ID)
}

func couponKey(dayID, orderID int64) string { return fmt.Sprintf("rain:%d:%d", dayID, orderID) }
