package remind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

const (
	// chunk is how many cars or members one page holds: what is in memory at a time.
	chunk = 400
	// turn is how long a job works before it lets others; the rest comes in the next turn, from where it stopped.
	turn = 45 * time.Second
	// outlook is for how many days, today being the first, the console shows what is coming.
	outlook = 7
	// kept is for how many days runs are kept.
	kept = 60
	// redates is the run that brings the computed dates of all cars up to date, before the others read them.
	redates = "redate"
	// jobRedate does so at once, after the table or an interval was changed.
	jobRedate = "remind.redate"
)

func (s *Service) jobs(q *jobs.Queue) {
	q.Every("remind.tick", 5*time.Minute, s.Tick)
	q.Handle(jobRedate, func(ctx context.Context, _ []byte) error { return s.redateAll(ctx) })
}

// walker looks at one page of those whom a rule may concern. It writes nothing.
type walker func(ctx context.Context, b book, r runRow, today string) (page, error)

// page is what a walker found: messages, and where the next page begins.
type page struct {
	messages []notify.Message
	redated  [][2]carRow // before and after
	looked   int
	afterDay string
	afterID  int64
	more     bool
	ahead    [outlook]int // of those looked at: how many will be due on each of the next days
}

func (s *Service) walkers() map[string]walker {
	return map[string]walker{redates: s.redatePage, notify.MaintenanceDue: s.carPage, notify.InspectionDue: s.carPage, notify.InsuranceDue: s.carPage,
		notify.NextWash: s.washPage, notify.TierFalling: s.tierPage, notify.Birthday: s.birthdayPage}
}

// Tick begins the runs of the day when their hour has come, in China, and goes on with those that were interrupted. Only today's runs count: what
// an outage of days left out is found by them, as far as it still makes sense.
func (s *Service) Tick(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("到期提醒"))
	hour, err := s.Settings.Int(ctx, setting.RemindHour)
	if err != nil {
		return err
	}
	now := s.DB.Now().In(bizday.Location(bizday.DefaultZone))
	if int64(now.Hour()) < hour {
		return nil
	}
	states, err := s.Messages.States(ctx)
	if err != nil {
		return err
	}
	today := now.Format(time.DateOnly)
	if err := s.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return purgeRuns(ctx, tx, bizday.Add(today, -kept)) }); err != nil {
		return err
	}
	elapsed := clock.Stopwatch()
	events := []string{redates}
	for _, r := range Rules() {
		if r.ours() && states[r.Event].On {
			events = append(events, r.Event)
		}
	}
	var problems error
	for _, e := range events {
		more, err := s.goOn(ctx, today, e, elapsed)
		if problems = errors.Join(problems, err); more {
			return errors.Join(problems, jobs.After{})
		}
	}
	return problems
}

// goOn works through a rule's run of a day; more when the time was up before its end.
func (s *Service) goOn(ctx context.Context, today, event string, elapsed func() time.Duration) (more bool, err error) {
	r, err := s.openRun(ctx, today, event)
	if err != nil || r.FinishedAt != 0 {
		return false, err
	}
	b, err := readBook(ctx, s.DB, "")
	if err != nil {
		return false, err
	}
	walk := s.walkers()[event]
	for r.FinishedAt == 0 {
		if elapsed() > turn || ctx.Err() != nil {
			return true, nil
		}
		p, err := walk(ctx, b, r, today)
		if err != nil {
			return false, fmt.Errorf("%s: %w", event, err)
		}
		next, mine, err := s.keep(ctx, r, p)
		if err != nil || !mine {
			return false, err // another instance goes on with it
		}
		r = next
	}
	if r.Told > 0 {
		s.Log.InfoContext(ctx, "reminders were written", "event", event, "day", today, "looked", r.Looked, "told", r.Told)
	}
	return false, nil
}

// keep writes a page: where the run stands now and the messages, together or not at all.
func (s *Service) keep(ctx context.Context, r runRow, p page) (next runRow, mine bool, err error) {
	next = r
	next.AfterDay, next.AfterID, next.Looked = p.afterDay, p.afterID, r.Looked+int64(p.looked)
	sum := r.counts()
	for i, n := range p.ahead {
		sum[i] += n
	}
	text, _ := json.Marshal(sum) // numbers always marshal
	next.Ahead = string(text)
	err = s.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if next.FinishedAt = 0; !p.more {
			next.FinishedAt = tx.Millis()
		}
		var err error
		if mine, err = advance(ctx, tx, r, next); err != nil || !mine {
			return err
		}
		for _, x := range p.redated {
			redate(tx, x[0], x[1])
		}
		n, err := s.Messages.EnqueueManyTx(ctx, tx, p.messages)
		if err != nil || n == 0 {
			return err
		}
		next.Told = r.Told + int64(n)
		return addTold(ctx, tx, r, n)
	})
	return next, mine, err
}

// redatePage computes the dates of cars anew: a year has passed, or the table or an interval was changed.
func (s *Service) redatePage(ctx context.Context, b book, r runRow, today string) (p page, err error) {
	rows, err := carsAfter(ctx, s.DB, r.AfterID, chunk)
	if err != nil {
		return p, err
	}
	for _, x := range rows {
		p.afterID = x.VehicleID
		if now := b.row(x.car(), today, x.UpdatedAt); now != x {
			p.redated = append(p.redated, [2]carRow{x, now})
		}
	}
	p.looked, p.more = len(rows), len(rows) == chunk
	return p, nil
}

// redateAll brings all dates up to date at once.
func (s *Service) redateAll(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("到期提醒"))
	b, err := readBook(ctx, s.DB, "")
	if err != nil {
		return err
	}
	today := s.today()
	for r := (runRow{}); ctx.Err() == nil; {
		p, err := s.redatePage(ctx, b, r, today)
		if err != nil {
			return err
		}
		if err := s.DB.InTx(ctx, func(_ context.Context, tx *db.Tx) error {
			for _, x := range p.redated {
				redate(tx, x[0], x[1])
			}
			return nil
		}); err != nil || !p.more {
			return err
		}
		r.AfterID = p.afterID
	}
	return ctx.Err()
}

// late is for how many days after its date a reminder still makes sense: an estimate is never exact, a law is.
func late(event string) int {
	if event == notify.MaintenanceDue {
		return 14
	}
	return 0
}

// carPage finds cars that need something soon.
func (s *Service) carPage(ctx context.Context, b book, r runRow, today string) (p page, err error) {
	terms := b.terms[r.Event]
	if len(terms.Days) == 0 {
		return p, nil
	}
	rows, err := carsDue(ctx, s.DB, r.Event, bizday.Add(today, -late(r.Event)), bizday.Add(today, terms.Days[0]), r.AfterDay, r.AfterID, chunk)
	if err != nil || len(rows) == 0 {
		return p, err
	}
	ids := make([]int64, 0, len(rows))
	for _, x := range rows {
		ids = append(ids, x.VehicleID)
	}
	plates, err := s.Members.Plated(ctx, s.DB, ids)
	if err != nil {
		return p, err
	}
	for _, x := range rows {
		on := x.dueOn(r.Event)
		p.afterDay, p.afterID = on, x.VehicleID
		car, ok := plates[x.VehicleID]
		if !ok {
			continue // suspended, or left
		}
		st, ok := step(on, terms.Days, today, x.SeenOn, late(r.Event))
		if !ok {
			continue
		}
		m := b.carMessage(x.car(), r.Event, on, today)
		m.MemberID, m.Data["plate"], m.Data["store"] = car.MemberID, car.Plate, s.storeName(ctx, car.StoreID)
		m.Dedupe, m.Until = fmt.Sprintf("%s:%d:%s:%d", r.Event, x.VehicleID, x.cycle(r.Event), st.No), ends(st.Until)
		p.messages = append(p.messages, m)
	}
	p.looked, p.more = len(rows), len(rows) == chunk
	return p, nil
}

func (r carRow) dueOn(event string) string {
	switch event {
	case notify.MaintenanceDue:
		return r.MaintenanceOn
	case notify.InspectionDue:
		return r.InspectionOn
	}
	return r.InsuredTo
}

// cycle names what is reminded of: an estimate moves with every reading of the odometer, the maintenance before it does not.
func (r carRow) cycle(event string) string {
	if event == notify.MaintenanceDue {
		if r.ServicedOn == "" {
			return "first"
		}
		return r.ServicedOn
	}
	return r.dueOn(event)
}

// carMessage words a reminder. What it says stays true until it is stale: it names dates, not how many days are left.
func (b book) carMessage(c Car, event, on, today string) notify.Message {
	m := notify.Message{Event: event, Page: fmt.Sprintf("pages/care/index?id=%d", c.VehicleID), Data: map[string]string{"time": on}}
	switch event {
	case notify.MaintenanceDue:
		m.Data["title"], m.Data["hint"] = "保养到期提醒", "到保养的日子了，欢迎预约到店"
		if next := nextMaintenance(c, b.terms[event], today); next.ByKm {
			m.Data["hint"] = fmt.Sprintf("按里程约到 %d 公里", next.AtKm)
		}
	case notify.InspectionDue:
		m.Data["title"], m.Data["hint"] = "年检到期提醒", "免上线，网上申领标志即可"
		if nextInspection(b.table.of(c.Kind), c.RegisteredOn, c.InspectedTo, today).OnSite {
			m.Data["hint"] = "需上线检测，请提前安排"
		}
	default:
		m.Data["title"], m.Data["hint"] = "保险到期提醒", "记得续保，保障不断档"
	}
	return m
}

// washPage finds cars that would have come by now.
func (s *Service) washPage(ctx context.Context, b book, r runRow, today string) (p page, err error) {
	members, err := s.Members.ActiveAfter(ctx, s.DB.Now(), r.AfterID, chunk)
	if err != nil || len(members) == 0 {
		return p, err
	}
	p.looked, p.more, p.afterID = len(members), len(members) == chunk, members[len(members)-1]
	washes, err := s.washes(ctx, members)
	if err != nil || len(washes) == 0 {
		return p, err
	}
	terms := b.terms[r.Event]
	var open map[int64]bool // asked for when somebody is due
	for group := range byCar(washes) {
		list := make([]string, len(group))
		for i, w := range group {
			list[i] = w.Day
		}
		rhythm, ok := rhythmOf(list, terms.Least)
		if !ok {
			continue
		}
		on, until := rhythm.washDue(terms.Days[0])
		if n := days(today, on); until != "" && n > 0 && n < outlook {
			p.ahead[n]++
		}
		if until == "" || today < on || today > until {
			continue
		}
		if open == nil {
			if open, err = s.Visits.Booked(ctx, members); err != nil {
				return p, err
			}
		}
		w := group[len(group)-1]
		if open[w.MemberID] {
			continue
		}
		p.messages = append(p.messages, notify.Message{MemberID: w.MemberID, Event: r.Event, Dedupe: fmt.Sprintf("%s:%d:%s:%s", r.Event, w.MemberID, w.Plate, rhythm.Last), Until: ends(until),
			Page: "pages/booking/index", Data: map[string]string{"title": "该给爱车洗个澡了", "plate": w.Plate, "store": w.Store, "time": rhythm.Next,
				"hint": fmt.Sprintf("平常约 %d 天洗一次，来洗洗吧", rhythm.Every)}})
	}
	return p, nil
}

// washes reads the recent washes of members, each member's cars one after the other and by day.
func (s *Service) washes(ctx context.Context, members []int64) ([]Wash, error) {
	kinds, err := s.Catalog.ServiceKinds(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	var services []int64
	for id, kind := range kinds {
		if kind == "wash" {
			services = append(services, id)
		}
	}
	if len(services) == 0 {
		return nil, nil
	}
	slices.Sort(services)
	return s.Visits.Washes(ctx, members, services, bizday.Add(s.today(), -washesSince))
}

// tierPage finds members whose tier will be lower soon.
func (s *Service) tierPage(ctx context.Context, b book, r runRow, today string) (p page, err error) {
	members, err := s.Members.ActiveAfter(ctx, s.DB.Now(), r.AfterID, chunk)
	if err != nil || len(members) == 0 {
		return p, err
	}
	p.looked, p.more, p.afterID = len(members), len(members) == chunk, members[len(members)-1]
	ahead := b.terms[r.Event].Days[0]
	falls, err := s.Tiers.Falling(ctx, members, ahead+outlook-1)
	if err != nil {
		return p, err
	}
	for _, f := range falls {
		if n := days(today, f.KeptUntil) - ahead; n > 0 {
			p.ahead[min(n, outlook-1)]++
			continue
		}
		p.messages = append(p.messages, notify.Message{MemberID: f.MemberID, Event: r.Event, Dedupe: fmt.Sprintf("%s:%d:%d:%s", r.Event, f.MemberID, f.From.ID, f.KeptUntil), Until: ends(f.KeptUntil),
			Page: "pages/club/tier/index", Data: map[string]string{"title": f.From.Name + "即将到期", "tier": f.To.Name, "time": f.KeptUntil, "reason": "之后为" + f.To.Name, "hint": f.Hint}})
	}
	return p, nil
}

// birthdayPage finds members whose birthday is today; who was born on a 29th of February has it on the 28th in other years.
func (s *Service) birthdayPage(ctx context.Context, _ book, r runRow, today string) (p page, err error) {
	list := birthdays(today)
	md := max(r.AfterDay, list[0])
	members, err := s.Members.Born(ctx, md, r.AfterID, chunk)
	if err != nil {
		return p, err
	}
	p.looked, p.afterDay = len(members), md
	if len(members) == chunk {
		p.more, p.afterID = true, members[len(members)-1]
	} else if i := slices.Index(list, md); i+1 < len(list) {
		p.more, p.afterDay = true, list[i+1]
	}
	names, err := s.Members.Salutations(ctx, members)
	if err != nil {
		return p, err
	}
	gifts, err := s.Gifts(ctx, members, today)
	if err != nil {
		return p, err
	}
	for _, m := range members {
		gift := "愿您一路平安，天天好心情"
		if g := gifts[m]; g != "" {
			gift = g + "已放进您的卡包"
		}
		p.messages = append(p.messages, notify.Message{MemberID: m, Event: r.Event, Dedupe: fmt.Sprintf("birthday_wish:%d:%s", m, today[:4]), Until: ends(today), Page: "pages/home/index",
			Data: map[string]string{"title": "生日快乐", "name": names[m], "time": today, "gift": gift, "hint": "感谢您一直以来的信任"}})
	}
	return p, nil
}

// birthdays are the months and days, "02-28", that are celebrated on a date.
func birthdays(date string) []string {
	out := []string{date[5:]}
	if date[5:] == "02-28" && bizday.Add(date, 1)[5:] == "03-01" {
		out = append(out, "02-29")
	}
	return out
}
