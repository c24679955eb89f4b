package outreach

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
)

// Filter chooses lines of the lists.
type Filter struct {
	Kind   string
	State  string // open or handled
	Month  string // of birthdays, "2026-11"; "" for all
	Stores []int64
	After  cursor
	Limit  int
}

// cursor is the last line of a page.
type cursor struct {
	day string
	id  int64
}

// Line is a task with the member as staff may see them.
type Line struct {
	Task
	Person
	Coupon string // name of what was given
}

// Lines lists tasks in which the caller may act: those who were lost last come first, birthdays in their order. Members who are suspended or leaving are
// left out.
func (s *Service) Lines(ctx context.Context, f Filter) (out []Line, next cursor, err error) {
	if who := actor.From(ctx); who.Kind == actor.Staff && !who.AllStores {
		f.Stores = append([]int64{0}, who.Stores...)
	}
	limit := f.Limit
	f.Limit++
	tasks, err := tasksOf(ctx, s.db, f)
	if err != nil {
		return nil, next, err
	}
	if len(tasks) > limit {
		tasks = tasks[:limit]
		next = cursor{tasks[limit-1].DueDay, tasks[limit-1].ID}
	}
	out, err = s.lines(ctx, tasks)
	return out, next, err
}

func (s *Service) lines(ctx context.Context, tasks []Task) ([]Line, error) {
	ids := make([]int64, 0, len(tasks))
	for _, t := range tasks {
		ids = append(ids, t.MemberID)
	}
	prefs, err := s.Messages.Preferences(ctx, ids)
	if err != nil {
		return nil, err
	}
	held, err := s.History.Holdings(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Line, 0, len(tasks))
	for _, t := range tasks {
		m, err := s.Members.Get(ctx, t.MemberID)
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return nil, err
		}
		if err != nil || m.Status != member.StatusActive {
			continue
		}
		p, phone := prefs[t.MemberID], m.Phone != ""
		l := Line{Task: t, Person: Person{Name: member.MaskName(m.Name), Phone: member.MaskPhone(m.Phone), Reachable: phone, MayCall: phone && p.Calls,
			MayText: s.Texts && m.PhoneVerified && mayText(p), FromMinute: p.FromMinute, ToMinute: p.ToMinute, Holding: held[t.MemberID]}}
		if t.Kind == Birthday && len(m.Birthday) == 10 {
			l.Birthday = m.Birthday[5:]
		}
		if t.TemplateID != 0 {
			if l.Coupon, err = s.Coupons.TitleOf(ctx, s.db, t.TemplateID); errors.Is(err, coupon.ErrTemplate) {
				l.Coupon = "优惠券"
			} else if err != nil {
				return nil, err
			}
		}
		out = append(out, l)
	}
	return out, nil
}

func mayText(p notify.Preference) bool {
	return p.SMS && p.Marketing && !slices.Contains(p.Off, notify.GroupWishes)
}

// mine locks a line on which the caller may act, of a member who is not suspended or leaving. Faults: not_found, those of the member's standing.
func (s *Service) mineTx(ctx context.Context, tx *db.Tx, id int64) (Task, member.Standing, error) {
	seen, err := taskByID(ctx, tx, id, "")
	if err != nil {
		return seen, member.Standing{}, err
	}
	if seen.StoreID != 0 && !actor.From(ctx).InStore(seen.StoreID) {
		return seen, member.Standing{}, fault.ErrNotFound
	}
	st, err := s.Members.StandingTx(ctx, tx, seen.MemberID) // the member before the line: everybody locks in this order
	if err != nil {
		return seen, st, err
	}
	if st.Status != member.StatusActive { // a frozen card does not matter here: the person may be called
		if err = st.MayTopUp(); err == nil {
			err = fault.ErrNotFound
		}
		return seen, st, err
	}
	t, err := taskByID(ctx, tx, id, tx.ForUpdate())
	return t, st, err
}

// Dial gives the number to call; the trail shows who asked for it. Faults: ErrDone, ErrNoCalls, ErrNoPhone, not_found.
func (s *Service) Dial(ctx context.Context, id int64) (phone string, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		t, st, err := s.mineTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if t.State != Open {
			return ErrDone
		}
		prefs, err := s.Messages.Preferences(ctx, []int64{t.MemberID})
		if err != nil {
			return err
		}
		if !prefs[t.MemberID].Calls {
			return ErrNoCalls
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "outreach.dial", SubjectKind: "member", SubjectID: t.MemberID, SubjectLabel: member.MaskName(st.Name), StoreID: t.StoreID,
			Detail: map[string]any{"taskId": t.ID, "list": t.Kind}})
	})
	if err != nil {
		return "", err
	}
	t, err := taskByID(ctx, s.db, id, "")
	if err != nil {
		return "", err
	}
	m, err := s.Members.Get(ctx, t.MemberID)
	if err == nil && m.Phone == "" {
		err = ErrNoPhone
	}
	return m.Phone, err
}

// Text sends the member the shop's short message for the list, with consent and once. Faults: ErrConsent, ErrTexted, ErrNoText, ErrNoChannel, ErrNoPhone,
// ErrDone, not_found.
func (s *Service) Text(ctx context.Context, id int64) error {
	if !s.Texts {
		return ErrNoChannel
	}
	seen, err := taskByID(ctx, s.db, id, "")
	if err != nil {
		return err
	}
	event := notify.MissedYou
	if seen.Kind == Birthday {
		event = notify.Birthday
	}
	if ok, err := s.Messages.HasText(ctx, event); err != nil || !ok {
		return errors.Join(err, ErrNoText)
	}
	shopName, err := s.ShopName(ctx)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		t, st, err := s.mineTx(ctx, tx, id)
		if err != nil {
			return err
		}
		switch {
		case !t.TextedAt.IsZero():
			return ErrTexted
		case t.State != Open && t.State != Handled:
			return ErrDone
		}
		prefs, err := s.Messages.Preferences(ctx, []int64{t.MemberID})
		if err != nil {
			return err
		}
		if !mayText(prefs[t.MemberID]) {
			return ErrConsent
		}
		if who, err := s.People.Textable(ctx, []int64{t.MemberID}); err != nil || len(who) == 0 {
			return errors.Join(err, ErrNoPhone)
		}
		m, err := s.Members.Get(ctx, t.MemberID)
		if err != nil {
			return err
		}
		msg := notify.Message{MemberID: t.MemberID, Event: event, Dedupe: fmt.Sprintf("missed_you:%d", t.ID), Until: tx.Now.AddDate(0, 0, 2),
			Data: map[string]string{"title": "好久不见", "name": salute(m.Name, m.Gender), "store": shopName, "hint": "期待您再来"}}
		if t.Kind == Birthday {
			msg.Dedupe, msg.Data["title"], msg.Data["hint"], msg.Data["time"] = fmt.Sprintf("birthday_wish:%d:%s", t.MemberID, t.DueDay[:4]), "生日快乐", "祝您生日快乐", t.DueDay
		}
		if t.TemplateID != 0 {
			if msg.Data["gift"], err = s.Coupons.TitleOf(ctx, tx, t.TemplateID); err != nil && !errors.Is(err, coupon.ErrTemplate) {
				return err
			}
		}
		if t.Kind == Birthday { // a whole sentence, as in the wish that is sent by itself
			if msg.Data["gift"] != "" {
				msg.Data["gift"] += "已放进您的卡包"
			} else {
				msg.Data["gift"] = "愿您一路平安，天天好心情"
			}
		}
		if err := s.Messages.EnqueueTx(ctx, tx, msg); err != nil {
			return err
		}
		if err := textedTask(ctx, tx, t.ID); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "outreach.text", SubjectKind: "member", SubjectID: t.MemberID, SubjectLabel: member.MaskName(st.Name), StoreID: t.StoreID,
			Detail: map[string]any{"taskId": t.ID, "list": t.Kind}})
	})
}

// Result is what came of a call, and what was given.
type Result struct {
	Outcome    string `json:"outcome" enum:"coming,considering,no_answer,refused,wrong_number,greeted,other"`
	Note       string `json:"note,omitempty" maxLength:"200"`
	TemplateID int64  `json:"templateId,omitempty" minimum:"0" doc:"Coupon to give, one of those that the rule allows"`
}

// Handle notes what came of a call, and gives a coupon that the rule allows. Who did not answer stays on the list; who objects gets no calls and offers any
// more. It is a money command. Faults: ErrDone, ErrCoupon, request.invalid, those of coupon.IssueTx, not_found.
func (s *Service) Handle(ctx context.Context, id int64, r Result) (Line, error) {
	var c fault.Complaints
	c.Text("note", &r.Note, 0, 200, true)
	if !slices.Contains(Outcomes(), r.Outcome) {
		c.Bad("outcome", "请选择联系结果")
	}
	if r.TemplateID != 0 && (r.Outcome == Refused || r.Outcome == WrongNumber || r.Outcome == NoAnswer) {
		c.Bad("templateId", "这个结果不用送券")
	}
	if err := c.First(); err != nil {
		return Line{}, err
	}
	rule, err := s.Rule(ctx)
	if err != nil {
		return Line{}, err
	}
	if r.TemplateID != 0 && !slices.Contains(rule.CouponIDs, r.TemplateID) {
		return Line{}, ErrCoupon.On("templateId", ErrCoupon.Message)
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) { return id, s.handleTx(ctx, tx, id, r) })
		return err
	})
	if err != nil {
		return Line{}, err
	}
	t, err := taskByID(ctx, s.db, id, "")
	if err != nil {
		return Line{}, err
	}
	out, err := s.lines(ctx, []Task{t})
	return append(out, Line{Task: t})[0], err
}

func (s *Service) handleTx(ctx context.Context, tx *db.Tx, id int64, r Result) error {
	t, st, err := s.mineTx(ctx, tx, id)
	if err != nil {
		return err
	}
	if t.State != Open {
		return ErrDone
	}
	who := actor.From(ctx)
	t.Outcome, t.Note, t.StaffName, t.Tries = r.Outcome, r.Note, db.Clip(who.Name, 64), t.Tries+1
	coupons := []int64(nil)
	if r.Outcome != NoAnswer {
		t.State, t.HandledAt = Handled, tx.Now
	}
	if r.TemplateID != 0 {
		if coupons, err = s.Coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: r.TemplateID, MemberID: t.MemberID, Source: "outreach", SourceID: t.ID, Dedupe: fmt.Sprintf("outreach:%d", t.ID)}); err != nil {
			return err
		}
		t.TemplateID = r.TemplateID
	}
	if err := handledTask(ctx, tx, t, who.ID, append(coupons, 0)[0]); err != nil {
		return err
	}
	if r.Outcome == Refused {
		if err := s.Messages.ObjectTx(ctx, tx, t.MemberID); err != nil {
			return err
		}
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "outreach.handled", SubjectKind: "member", SubjectID: t.MemberID, SubjectLabel: member.MaskName(st.Name), StoreID: t.StoreID,
		Detail: map[string]any{"taskId": t.ID, "list": t.Kind, "outcome": r.Outcome, "templateId": r.TemplateID}})
}

// Gift is a coupon that staff may give.
type Gift struct {
	TemplateID int64  `json:"templateId"`
	Name       string `json:"name"`
}

// Gifts lists the coupons that staff may give from the lists.
func (s *Service) Gifts(ctx context.Context) (out []Gift, err error) {
	rule, err := s.Rule(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range rule.CouponIDs {
		name, err := s.Coupons.TitleOf(ctx, s.db, id)
		if errors.Is(err, coupon.ErrTemplate) {
			continue // stopped meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, Gift{id, name})
	}
	return out, nil
}

// Summary counts what is open, and what came of the calls of the last 90 days.
type Summary struct {
	Missed      int `json:"missed" doc:"Open lines of members who stay away"`
	Birthdays   int `json:"birthdays" doc:"Open lines of this month's birthdays"`
	Handled     int `json:"handled" doc:"Members who stayed away and were called in the last 90 days"`
	CameBack    int `json:"cameBack" doc:"Of them: came within the time of the rule"`
	WithCoupon  int `json:"withCoupon" doc:"Of the handled: were given a coupon"`
	CouponBack  int `json:"couponBack"`
	Unprompted  int `json:"unprompted" doc:"Came back before anybody called"`
	BirthdayMet int `json:"birthdayMet" doc:"Birthdays of this month that were greeted"`
}

// Summary counts for the stores in which the caller may act.
func (s *Service) Summary(ctx context.Context) (Summary, error) {
	var stores []int64
	if who := actor.From(ctx); who.Kind == actor.Staff && !who.AllStores {
		stores = append([]int64{0}, who.Stores...)
	}
	return summaryOf(ctx, s.db, stores, s.db.Now().AddDate(0, 0, -90).UnixMilli(), s.today()[:7])
}
