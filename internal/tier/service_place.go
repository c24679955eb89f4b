package tier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

// rules reads all tiers with the shop's terms.
func (s *Service) rules(ctx context.Context, r db.Reader) (Rules, error) {
	all, err := s.list(ctx, r)
	if err != nil {
		return Rules{}, err
	}
	t, err := s.terms(ctx)
	return Rules{all, t}, err
}

func (s *Service) terms(ctx context.Context) (t Terms, err error) {
	if t.Lose, err = s.settings.Text(ctx, setting.TierLose); err != nil {
		return t, err
	}
	grace, err := s.settings.Int(ctx, setting.TierGraceDays)
	if err != nil {
		return t, err
	}
	idle, err := s.settings.Int(ctx, setting.TierIdleDays)
	t.GraceDays, t.IdleDays = int(grace), int(idle)
	return t, err
}

// measured says whether any tier's rule looks at one of the kinds.
func (s Rules) measured(kinds ...string) bool {
	return slices.ContainsFunc(s.Tiers, func(f Full) bool {
		return slices.ContainsFunc(kinds, func(k string) bool { return f.Programme.Rule.of(k) > 0 })
	})
}

// file is everything that the tiers of some members follow from.
type file struct {
	rules  Rules
	now    time.Time
	places map[int64]placeRow
	hand   map[int64]*Manual
	paid   map[int64][]Paid
	placed map[int64][]Placed
	facts  map[int64]Facts
}

// read reads the file of some members. lock locks their places first, so that what follows is not overtaken by an assignment.
func (s *Service) read(ctx context.Context, r db.Reader, rules Rules, now time.Time, members []int64, lock string) (f file, err error) {
	f = file{rules: rules, now: now}
	if f.places, err = places(ctx, r, members, lock); err != nil {
		return f, err
	}
	if f.hand, err = manuals(ctx, r, f.places, members); err != nil {
		return f, err
	}
	if f.paid, err = paidTiers(ctx, r, members); err != nil {
		return f, err
	}
	if f.placed, err = s.placedOf(ctx, r, members); err != nil {
		return f, err
	}
	f.facts, err = s.factsOf(ctx, r, rules, now, members)
	return f, err
}

// factsOf reads what the rules look at from the ledger, and from the cars where a rule asks for them.
func (s *Service) factsOf(ctx context.Context, r db.Reader, rules Rules, now time.Time, members []int64) (map[int64]Facts, error) {
	out := make(map[int64]Facts, len(members))
	if rules.measured(SpendYear, SpendLife, VisitsYear, VisitsLife) {
		rows, err := ledger.Visits(ctx, r, members)
		if err != nil {
			return nil, err
		}
		sumDays(out, rows)
	}
	if rules.measured(Experience) {
		has, err := ledger.BalancesOf(ctx, r, ledger.Experience, members)
		if err != nil {
			return nil, err
		}
		for m, n := range has {
			f := out[m]
			f.Experience = n
			out[m] = f
		}
	}
	if s.People != nil && rules.measured(CarMonths, CarKm) {
		cars, err := s.People.OwnedCars(ctx, r, members)
		if err != nil {
			return nil, err
		}
		day := bizday.Of(now, bizday.DefaultZone)
		for _, c := range cars {
			f := out[c.MemberID]
			f.CarMonths = max(f.CarMonths, months(c.PurchasedOn, day))
			if c.MileageKm != nil {
				f.CarKm = max(f.CarKm, *c.MileageKm)
			}
			out[c.MemberID] = f
		}
	}
	return out, nil
}

// sumDays makes days of visits, which come in the order of each member's postings.
func sumDays(out map[int64]Facts, rows []ledger.Visited) {
	text, no := "", 0
	for _, v := range rows {
		if v.BizDay != text {
			text, no = v.BizDay, dayNo(v.BizDay)
		}
		f := out[v.MemberID]
		n := len(f.Days)
		i := n
		for i > 0 && f.Days[i-1].No >= no { // stores in other zones may be a day apart
			i--
		}
		if i < n && f.Days[i].No == no {
			f.Days[i].SpentFen += v.Fen
		} else {
			f.Days = slices.Insert(f.Days, i, Day{no, v.Fen})
		}
		out[v.MemberID] = f
	}
}

// months are the whole months between two business dates; 0 when one is none.
func months(from, to string) int64 {
	a, err := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	if err != nil || err2 != nil || a.After(b) {
		return 0
	}
	n := int64(b.Year()-a.Year())*12 + int64(b.Month()-a.Month())
	if b.Day() < a.Day() {
		n--
	}
	return max(n, 0)
}

func (f file) decide(member int64) (Decision, line) {
	l := f.facts[member].line()
	return f.rules.decide(f.now.UnixMilli(), today(f.now), l, f.hand[member], f.paid[member], f.placed[member]), l
}

// moved says whether a member does not stand where they should.
func (f file) moved(member int64) bool {
	d, _ := f.decide(member)
	p, ok := f.places[member]
	if !ok {
		return d.Source != FromDefault
	}
	return p.TierID != d.TierID || p.Source != d.Source
}

// place computes the tiers of members anew and writes what changed. Members in ascending order. It returns how many changed.
func (s *Service) place(ctx context.Context, members []int64) (changed int, err error) {
	rules, err := s.rules(ctx, s.db)
	if err != nil {
		return 0, err
	}
	f, err := s.read(ctx, s.db, rules, s.db.Now(), members, "")
	if err != nil {
		return 0, err
	}
	var off []int64
	for _, m := range members {
		if f.moved(m) {
			off = append(off, m)
		}
	}
	for part := range slices.Chunk(off, 200) {
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.placeTx(ctx, tx, part) })
		if errors.Is(err, db.ErrDuplicate) { // somebody was put into a tier for the first time meanwhile
			err = nil
			for _, m := range part {
				err = errors.Join(err, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.placeOneTx(ctx, tx, m) }))
			}
		}
		if err != nil {
			return changed, err
		}
		changed += len(part)
	}
	return changed, nil
}

// placeTx moves members to where they should stand, decided under the lock of their places.
func (s *Service) placeTx(ctx context.Context, tx *db.Tx, members []int64) error {
	rules, err := s.freshRulesTx(ctx, tx)
	if err != nil {
		return err
	}
	f, err := s.read(ctx, tx, rules, tx.Now, members, tx.ForUpdate())
	if err != nil {
		return err
	}
	for _, m := range members {
		if f.moved(m) {
			if err := s.writeTx(ctx, tx, f, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeOneTx is placeTx of one member, whose place is opened first.
func (s *Service) placeOneTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	def, err := s.Default(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := lockPlace(ctx, tx, memberID, def.ID); err != nil {
		return err
	}
	return s.placeTx(ctx, tx, []int64{memberID})
}

// freshRulesTx reads the tiers within the transaction: what is written must not name one that was deleted.
func (s *Service) freshRulesTx(ctx context.Context, tx *db.Tx) (Rules, error) {
	all, err := readAll(ctx, tx, "")
	if err != nil {
		return Rules{}, err
	}
	sortTiers(all)
	t, err := s.terms(ctx)
	return Rules{all, t}, err
}

// writeTx writes where a member of the file stands now, the change with its reason, and the message.
func (s *Service) writeTx(ctx context.Context, tx *db.Tx, f file, memberID int64) error {
	d, l := f.decide(memberID)
	p, known := f.places[memberID]
	if known && p.Source == FromManual && p.Version == 0 { // from before there were rules: keep what was given
		if m := f.hand[memberID]; m != nil && m.TierID == p.TierID && d.Source != FromManual {
			if err := putAssignment(ctx, tx, assignmentRow{memberID, p.TierID, false, p.Reason, p.SetBy, p.SetAt, 0}); err != nil {
				return err
			}
		}
	}
	from, err := pick(f.rules.Tiers, p.TierID)
	if err != nil {
		from = Full{}
	}
	to, err := pick(f.rules.Tiers, d.TierID)
	if err != nil {
		return err
	}
	next := placeRow{MemberID: memberID, TierID: to.ID, Reason: db.Clip(d.Reason, 200), SetBy: db.Clip(d.By, 60), SetAt: tx.Millis(), Source: d.Source, RightsUntil: p.RightsUntil}
	if known {
		next.move(tx)
	} else {
		next.Version = 1
		tx.InsertSoon("tier_members", next)
	}
	if from.ID == to.ID {
		return nil
	}
	why := d.Reason
	if to.Rank < from.Rank {
		why = s.loss(f, p, d, l)
	}
	return s.tellTx(ctx, tx, changeRow{ID: tx.NewID(), MemberID: memberID, FromTierID: from.ID, FromName: from.Name, ToTierID: to.ID, ToName: to.Name, Source: d.Source,
		Reason: db.Clip(why, 200), ChangedBy: db.Clip(d.By, 60), CreatedAt: tx.Millis()}, to.Rank > from.Rank)
}

// loss says why a member is in a lower tier than before.
func (s *Service) loss(f file, was placeRow, d Decision, l line) string {
	switch {
	case d.Source == FromManual:
		return d.Reason
	case was.Source == FromMembership:
		return "付费会员已到期"
	case was.Source == FromAccount:
		return "单位会员资格已结束"
	case was.Source == FromManual:
		return "指定的等级已到期或取消"
	}
	return f.rules.Terms.lost(l, today(f.now))
}

// tellTx writes a change and promises its message.
func (s *Service) tellTx(ctx context.Context, tx *db.Tx, c changeRow, up bool) error {
	tx.InsertSoon("tier_changes", c)
	if s.Messages == nil {
		return nil
	}
	title := "等级调整为" + c.ToName
	if up {
		title = "恭喜升级为" + c.ToName
	}
	return s.Messages.EnqueueNewTx(ctx, tx, notify.Message{MemberID: c.MemberID, Event: notify.TierChanged, Dedupe: fmt.Sprintf("tier:%d", c.ID), Page: "pages/club/tier/index",
		Data: map[string]string{"title": title, "tier": c.ToName, "before": c.FromName, "reason": c.Reason, "time": tx.Now.Format(time.RFC3339)}})
}

// Assign is a tier that somebody gives. Fixed nil: it is the least that the member has, or exactly what they have when it is lower
// than what they would have without.
type Assign struct {
	MemberID int64
	TierID   int64
	Reason   string
	Until    time.Time // zero: until it is taken back
	Fixed    *bool
}

// SetMemberTierTx puts a member into a tier. Faults: tier.unknown, tier.reason_missing.
func (s *Service) SetMemberTierTx(ctx context.Context, tx *db.Tx, memberID, tierID int64, reason string) error {
	return s.AssignTx(ctx, tx, Assign{MemberID: memberID, TierID: tierID, Reason: reason})
}

// AssignTx gives a member a tier by hand. Faults: tier.unknown, tier.reason_missing, request.invalid.
func (s *Service) AssignTx(ctx context.Context, tx *db.Tx, a Assign) error {
	a.Reason = strings.TrimSpace(a.Reason)
	if n := utf8.RuneCountInString(a.Reason); n < 1 || n > 200 {
		return ErrReason.On("reason", "必填")
	}
	ends := int64(0)
	if !a.Until.IsZero() {
		ends = a.Until.UnixMilli()
	}
	all, err := readAll(ctx, tx, tx.ForUpdate()) // it must not be deleted meanwhile
	if err != nil {
		return err
	}
	sortTiers(all)
	to, err := pick(all, a.TierID)
	if to.ID != a.TierID || err != nil && !errors.Is(err, errNoDefault) {
		return ErrUnknown.On("tierId", "请重新选择")
	}
	def, err := pick(all, 0)
	if err != nil {
		def = to
	}
	if _, err := lockPlace(ctx, tx, a.MemberID, def.ID); err != nil {
		return err
	}
	terms, err := s.terms(ctx)
	if err != nil {
		return err
	}
	f, err := s.read(ctx, tx, Rules{all, terms}, tx.Now, []int64{a.MemberID}, tx.ForUpdate())
	if err != nil {
		return err
	}
	was, err := pick(all, f.places[a.MemberID].TierID)
	if err != nil {
		was = def
	}
	f.hand[a.MemberID] = nil
	without, _ := f.decide(a.MemberID)
	natural, err := pick(all, without.TierID)
	fixed := err == nil && to.Rank < natural.Rank
	if a.Fixed != nil {
		fixed = *a.Fixed
	}
	by := db.Clip(actor.From(ctx).Name, 60)
	row := assignmentRow{a.MemberID, to.ID, fixed, a.Reason, by, tx.Millis(), ends}
	if err := putAssignment(ctx, tx, row); err != nil {
		return err
	}
	f.hand[a.MemberID] = row.manual()
	p := f.places[a.MemberID]
	p.Version++ // no longer from before there were rules
	f.places[a.MemberID] = p
	if err := s.writeTx(ctx, tx, f, a.MemberID); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "member.tier", SubjectKind: "member", SubjectID: a.MemberID, SubjectLabel: to.Name,
		Detail: map[string]any{"from": was.Name, "to": to.Name, "reason": a.Reason, "fixed": fixed, "until": a.Until}})
}

// Release takes back what was given by hand: the rules decide again. Fault: tier.reason_missing.
func (s *Service) Release(ctx context.Context, memberID int64, reason string) error {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 1 || n > 200 {
		return ErrReason.On("reason", "必填")
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.ReleaseTx(ctx, tx, memberID, 0, reason) })
}

// ReleaseTx is Release in somebody else's transaction. tierID limits it to one tier: when somebody has given another one since, that one stays;
// 0 takes back whatever was given.
func (s *Service) ReleaseTx(ctx context.Context, tx *db.Tx, memberID, tierID int64, reason string) error {
	def, err := s.Default(ctx, tx)
	if err != nil {
		return err
	}
	p, err := lockPlace(ctx, tx, memberID, def.ID)
	if err != nil {
		return err
	}
	if tierID != 0 {
		given, err := manuals(ctx, tx, map[int64]placeRow{memberID: p}, []int64{memberID})
		if err != nil || given[memberID] == nil || given[memberID].TierID != tierID {
			return err
		}
	}
	if err := dropAssignment(ctx, tx, memberID); err != nil {
		return err
	}
	if p.Source == FromManual && p.Version == 0 {
		p.move(tx) // what was given before there were rules is no longer there
	}
	if err := s.placeTx(ctx, tx, []int64{memberID}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "member.tier_release", SubjectKind: "member", SubjectID: memberID, Detail: map[string]any{"reason": reason}})
}
