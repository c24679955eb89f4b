package rain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/shop"
)

const (
	jobGive = "rain.give"
	chunk   = 200
	// lag is how long after a wash counted at the latest its settlement is still looked for.
	lag = 5 * time.Minute
)

// errNothing ends a transaction that has nothing to write.
var errNothing = errors.New("rain: nothing to give")

type givePayload struct {
	DayID int64 `json:"dayId"`
}

// Jobs registers the periodic work: what days under way still bring, washes that were reversed, and the weather where somebody tells it.
func (s *Service) Jobs(q *jobs.Queue) {
	q.Every("rain.tick", 10*time.Minute, s.Tick)
	q.Every("rain.weather", time.Hour, s.AskWeather)
}

func system(ctx context.Context) context.Context { return actor.With(ctx, actor.Job("雨天保障")) }

func (s *Service) giveJob(ctx context.Context, payload []byte) error {
	var p givePayload
	if err := json.Unmarshal(payload, &p); err != nil {
		return errors.Join(jobs.ErrPermanent, err)
	}
	return s.Give(system(ctx), p.DayID)
}

// Tick goes on with the days that are under way, and takes back the vouchers of washes that were reversed.
func (s *Service) Tick(ctx context.Context) error {
	ctx = system(ctx)
	ids, err := openDays(ctx, s.db)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.Give(ctx, id); err != nil {
			return err
		}
	}
	return s.follow(ctx)
}

// Give gives what a day brings and was not given yet. It may run again and at the same time: every part is once by its unique key.
func (s *Service) Give(ctx context.Context, dayID int64) error {
	d, err := s.DayByID(ctx, dayID)
	if err != nil || d.State != Giving {
		return err
	}
	store, err := s.Shops.Store(ctx, d.StoreID)
	if err != nil {
		return err
	}
	if d.Rule.Vouchers {
		if err := s.eachWash(ctx, d, store, func(w Wash) error { return s.voucher(ctx, d, store, w) }); err != nil {
			return err
		}
	}
	if d.Rule.PassDays > 0 {
		if err := s.eachPass(ctx, d, store, func(id int64) error { return s.credit(ctx, d, id) }); err != nil {
			return err
		}
	}
	if d.Rule.Rebooking {
		if err := s.excuse(ctx, d); err != nil {
			return err
		}
	}
	if _, until, err := d.protected(store.Timezone); err != nil || s.db.Now().Before(until.Add(lag)) {
		return err // a wash before the rain may still be paid
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return closeDay(ctx, tx, d.ID) })
}

// eachWash goes through the washes that the day protects and that brought no voucher yet.
func (s *Service) eachWash(ctx context.Context, d Day, store shop.Store, do func(Wash) error) error {
	from, to, err := d.protected(store.Timezone)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		list, err := s.Washes.Washes(ctx, d.StoreID, from, to, after, chunk)
		if err != nil {
			return err
		}
		orders := make([]int64, 0, len(list))
		for _, w := range list {
			orders = append(orders, w.OrderID)
		}
		had, err := haveVoucher(ctx, s.db, orders)
		if err != nil {
			return err
		}
		for _, w := range list {
			after = w.OrderID
			if had[w.OrderID] || !d.Rule.counts(w) {
				continue
			}
			if err := do(w); err != nil {
				return err
			}
		}
		if len(list) < chunk {
			return nil
		}
	}
}

// eachPass goes through the period passes that ran on the date in the store and were not credited for it.
func (s *Service) eachPass(ctx context.Context, d Day, store shop.Store, do func(id int64) error) error {
	from, to, err := bizday.Bounds(d.Date, store.Timezone)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		ids, last, err := s.Passes.RunningOn(ctx, d.StoreID, from, to, after, chunk)
		if err != nil {
			return err
		}
		had, err := haveCredit(ctx, s.db, ids, d.Date)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if had[id] {
				continue
			}
			if err := do(id); err != nil {
				return err
			}
		}
		if after = last; last == 0 {
			return nil
		}
	}
}

// once runs one part of a day in a transaction that the day's lock keeps apart from its undoing. What cannot be given, such as a coupon that was
// stopped, must not hold up the others.
func (s *Service) once(ctx context.Context, d Day, what string, subject int64, fn func(ctx context.Context, tx *db.Tx) error) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readDay(ctx, tx, d.ID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if now.State != Giving {
			return errNothing
		}
		return fn(ctx, tx)
	})
	if f := new(fault.Error); errors.As(err, &f) && f.Kind < 500 && !errors.Is(err, fault.ErrBusyWrite) {
		s.Log.WarnContext(ctx, "rain: not given", "what", what, "day", d.ID, "subject", subject, "err", err)
		return nil
	}
	if errors.Is(err, errNothing) || errors.Is(err, db.ErrDuplicate) {
		return nil
	}
	return err
}

// voucher gives the voucher of a wash.
func (s *Service) voucher(ctx context.Context, d Day, store shop.Store, w Wash) error {
	return s.once(ctx, d, "voucher", w.OrderID, func(ctx context.Context, tx *db.Tx) error {
		who, err := s.Members.Holder(ctx, tx, w.MemberID) // who was merged since has the voucher as who they are now
		if err != nil {
			return err
		}
		st, err := s.Members.StandingTx(ctx, tx, who)
		if err != nil {
			return err
		}
		if st.MayTopUp() != nil {
			return errNothing // suspended, leaving, or merged at this very moment: the next turn finds the other
		}
		n, err := s.vouchersOf(ctx, tx, who, d.Date[:7])
		if err != nil {
			return err
		}
		if n >= d.Rule.PerMonth {
			return errNothing
		}
		row := voucherRow{ID: tx.NewID(), DayID: d.ID, OrderID: w.OrderID, ActiveOrder: &w.OrderID, MemberID: who, Month: d.Date[:7], State: given, GivenAt: tx.Millis()}
		ids, err := s.Coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: d.Rule.TemplateID, MemberID: who, Source: "rain", SourceID: w.OrderID, Dedupe: couponKey(d.ID, w.OrderID)})
		if err != nil {
			return err
		}
		row.CouponID = ids[0]
		if err := tx.Insert(ctx, "rain_vouchers", row); err != nil {
			return err
		}
		title, err := s.Coupons.TitleOf(ctx, tx, d.Rule.TemplateID)
		if err != nil {
			return err
		}
		if err := s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: who, Event: notify.RainVoucher, Dedupe: fmt.Sprintf("rain_voucher:%d", w.OrderID), Page: "pages/club/coupons/index",
			Until: tx.Now.Add(72 * time.Hour),
			Data:  map[string]string{"title": title, "plate": w.Plate, "time": d.Date, "store": store.Name, "hint": "洗车后遇雨，补洗券已放入您的卡包"}}); err != nil {
			return err
		}
		return countDay(ctx, tx, d.ID, 1, 0, 0)
	})
}

// credit adds the days of a rainy date to a pass.
func (s *Service) credit(ctx context.Context, d Day, passID int64) error {
	return s.once(ctx, d, "pass", passID, func(ctx context.Context, tx *db.Tx) error {
		key := creditKey(passID, d.Date)
		if err := tx.Insert(ctx, "rain_credits", creditRow{ID: tx.NewID(), DayID: d.ID, PassID: passID, ActiveKey: &key, Days: d.Rule.PassDays, GivenAt: tx.Millis()}); err != nil {
			return err
		}
		if ok, err := s.Passes.AddDaysTx(ctx, tx, passID, d.Rule.PassDays, d.Date+" 下雨"); err != nil || !ok {
			return errors.Join(err, errNothing)
		}
		return countDay(ctx, tx, d.ID, 0, 1, 0)
	})
}

// excuse lets those who are expected on the day move free of charge.
func (s *Service) excuse(ctx context.Context, d Day) error {
	ids, err := s.Bookings.Expected(ctx, d.StoreID, d.Date, s.db.Now(), d.CreatedAt)
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := s.once(ctx, d, "booking", id, func(ctx context.Context, tx *db.Tx) error {
			ok, err := s.Bookings.ExcuseTx(ctx, tx, id, fmt.Sprintf("rain_rebook:%d:%d", d.ID, id), "下雨天，可免费改期或取消")
			if err != nil || !ok {
				return errors.Join(err, errNothing)
			}
			return countDay(ctx, tx, d.ID, 0, 0, 1)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// follow takes back the vouchers of washes that were reversed since.
func (s *Service) follow(ctx context.Context) error {
	since := s.db.Now().AddDate(0, 0, -followDays).UnixMilli()
	for after := int64(0); ; {
		list, err := vouchersSince(ctx, s.db, since, after, chunk)
		if err != nil {
			return err
		}
		byOrder, orders := map[int64]voucherRow{}, make([]int64, 0, len(list))
		for _, v := range list {
			after, byOrder[v.OrderID] = v.ID, v
			orders = append(orders, v.OrderID)
		}
		gone, err := s.Washes.Reversed(ctx, orders)
		if err != nil {
			return err
		}
		for _, order := range gone {
			v := byOrder[order]
			err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
				if _, err := readDay(ctx, tx, v.DayID, tx.ForUpdate()); err != nil {
					return err
				}
				if _, err := s.Members.StandingTx(ctx, tx, v.MemberID); err != nil {
					return err
				}
				if err := takeVoucher(ctx, tx, v.ID); err != nil {
					return err
				}
				_, err := s.Coupons.TakeBackTx(ctx, tx, v.MemberID, couponKey(v.DayID, v.OrderID), 1)
				return err
			})
			if err != nil && !errors.Is(err, errTaken) {
				return err
			}
		}
		if len(list) < chunk {
			return nil
		}
	}
}

// AskWeather marks the days on which the provider says that it rained, today and yesterday, where nobody has marked the date by hand, or undone it.
func (s *Service) AskWeather(ctx context.Context) error {
	if s.Weather == nil {
		return nil
	}
	ctx = system(ctx)
	rule, err := s.Rule(ctx)
	if err != nil || !rule.Automatic {
		return err
	}
	stores, err := s.Shops.Stores(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, st := range stores {
		if !st.Active {
			continue
		}
		today := st.BizDay(s.db.Now())
		for _, date := range []string{bizday.Add(today, -1), today} {
			if err := s.askFor(ctx, st, date); err != nil {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}

func (s *Service) askFor(ctx context.Context, st shop.Store, date string) error {
	had, err := daysOf(ctx, s.db, st.ID, date, date)
	if err != nil || len(had) > 0 {
		return err
	}
	shower, err := s.Weather.Rained(ctx, st.Address, date)
	if err != nil || !shower.Rained {
		return err
	}
	_, err = s.mark(ctx, Mark{StoreID: st.ID, Date: date, FromMinute: min(max(shower.FromMinute, 0), dayMinutes-1)}, Automatic)
	if errors.Is(err, ErrMarked) {
		return nil // somebody was faster
	}
	return err
}
