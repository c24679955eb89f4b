package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/id"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

const (
	// chunk is how much a sweep reads at once.
	chunk = 500
	// late is how long a transaction may take until what it wrote is seen: so far back a sweep reads again.
	late = time.Minute
	// patience bounds one run; the next one goes on from there.
	patience = 90 * time.Second
)

// Jobs registers the sweeps.
func (s *Service) Jobs(q *jobs.Queue) {
	q.Every("campaign.sweep", 10*time.Second, s.Sweep)
	q.Every("campaign.birthdays", 10*time.Minute, s.SweepBirthdays)
}

// Sweep gives what active rules say for what happened since the last time: purchases, new members, ratings, activities. It may run again at any
// time: every gift has its dedupe text.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("礼遇规则"))
	rules, err := readRules(ctx, s.db)
	if err != nil {
		return err
	}
	by := map[string][]Rule{}
	for _, r := range rules {
		if r.Active {
			by[r.Trigger] = append(by[r.Trigger], r)
		}
	}
	end := s.db.Now().Add(patience)
	return errors.Join(s.sweepPurchases(ctx, append(by[AfterPurchase], by[AfterTopup]...), end), s.sweepJoined(ctx, by[Join], end), s.sweepRatings(ctx, by[Review], end),
		s.sweepActivities(ctx, by[Activity], end))
}

// due is one gift that a rule may have to give.
type due struct {
	rule           Rule
	memberID, ref  int64
	dedupe, source string
	fen            money.Fen // what was paid, of a purchase
}

// giveAll gives what is due and not given yet, each in its own transaction.
func (s *Service) giveAll(ctx context.Context, list []due) error {
	dedupes := make([]string, len(list))
	for i, d := range list {
		dedupes[i] = d.dedupe
	}
	known, err := knownGifts(ctx, s.db, dedupes)
	if err != nil {
		return err
	}
	for _, d := range list {
		if known[d.dedupe] {
			continue
		}
		if err := s.giveDue(ctx, d); err != nil {
			if f := new(fault.Error); !errors.As(err, &f) || f.Kind >= 500 {
				return err
			}
			// What cannot be given, such as a coupon whose template ran out, must not hold up everybody else; it stays due while it is near.
			s.log.WarnContext(ctx, "a gift was not given", "rule", d.rule.ID, "member", d.memberID, "err", err)
		}
	}
	return nil
}

// giveDue gives one gift under the lock of its rule, so that its limit per member holds.
func (s *Service) giveDue(ctx context.Context, d due) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		holder, err := s.members.Holder(ctx, tx, d.memberID) // who earned it may have been merged into another member since
		if err != nil {
			return err
		}
		d.memberID = holder
		r := d.rule
		if r.ID != 0 {
			if r, err = lockRule(ctx, tx, r.ID); errors.Is(err, fault.ErrNotFound) || err == nil && !r.Active {
				return nil // ended meanwhile
			} else if err != nil {
				return err
			}
		}
		if most := r.each(); most > 0 {
			got, err := s.givenTo(ctx, tx, r.ID, d.memberID)
			if err != nil {
				return err
			}
			if got >= most {
				return nil
			}
		}
		st, err := s.members.StandingTx(ctx, tx, d.memberID)
		if err != nil {
			return err
		}
		if st.MayTopUp() != nil {
			return nil // suspended, or leaving
		}
		t, err := s.tiers.OfMember(ctx, tx, d.memberID)
		if err != nil {
			return err
		}
		if !r.forTier(t.ID) {
			return nil
		}
		g := Give{MemberID: d.memberID, RuleID: r.ID, Source: d.source, RefID: d.ref, Dedupe: d.dedupe, Title: r.Name, Gift: r.Gift}
		if ofMoney(d.source) {
			g.basis = r.basis()
			g.Gift = r.Gift.of(g.basis.times(d.fen))
			if len(g.Gift) == 0 || g.Gift[0].N == 0 {
				return nil // the rule was changed meanwhile
			}
		}
		_, err = s.GiveTx(ctx, tx, g)
		return err
	})
}

// from is where a sweep begins: where it stopped, but not before any of its rules.
func from(c cursorRow, rules []Rule) int64 { return max(c.AtID, id.First(begins(rules).Add(-late))) }

// begins is when the first of the rules begins.
func begins(rules []Rule) (first time.Time) {
	for i, r := range rules {
		if i == 0 || r.StartsAt.Before(first) {
			first = r.StartsAt
		}
	}
	return first
}

// sweepPurchases gives for purchases and top-ups, and takes back what was given for those that were undone. Undone purchases are followed without rules too.
func (s *Service) sweepPurchases(ctx context.Context, rules []Rule, end time.Time) error {
	const name = "purchases"
	c, err := cursor(ctx, s.db, name)
	if err != nil {
		return err
	}
	if c.AtID == 0 && len(rules) == 0 {
		return nil // there was never a rule
	}
	if c.AtID == 0 {
		c.AtID = from(c, rules)
	}
	for s.db.Now().Before(end) {
		list, err := ledger.PaidAfter(ctx, s.db, c.AtID, chunk)
		if err != nil {
			return err
		}
		if err := s.purchases(ctx, rules, list); err != nil {
			return err
		}
		settled := s.db.Now().Add(-late)
		moved := c.AtID
		for _, p := range list {
			if p.At.Before(settled) {
				c.AtID = p.PostingID
			}
		}
		if moved != c.AtID {
			if err := saveCursor(ctx, s.db, c); err != nil {
				return err
			}
		}
		if len(list) < chunk || moved == c.AtID {
			return s.recent(ctx, rules, list, c.AtID)
		}
	}
	return nil
}

// recent goes on through the last minute when it holds more than one chunk, without moving the cursor.
func (s *Service) recent(ctx context.Context, rules []Rule, list []ledger.Paid, at int64) (err error) {
	for len(list) == chunk {
		at = max(at, list[len(list)-1].PostingID)
		if list, err = ledger.PaidAfter(ctx, s.db, at, chunk); err != nil {
			return err
		}
		if err = s.purchases(ctx, rules, list); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) purchases(ctx context.Context, rules []Rule, list []ledger.Paid) error {
	undone := map[int64]bool{}
	for _, p := range list {
		undone[p.ReversesID] = true
	}
	var dues []due
	for _, p := range list {
		trigger, fen := AfterPurchase, p.Fen
		if p.Kind == ledger.KindTopup {
			trigger, fen = AfterTopup, p.ToppedFen
		}
		if p.MemberID == 0 || p.ReversesID != 0 || fen <= 0 || undone[p.PostingID] {
			continue
		}
		for _, r := range rules {
			if r.Trigger == trigger && r.holds(p.At) && r.basis().times(fen) > 0 {
				dues = append(dues, due{r, p.MemberID, p.PostingID, fmt.Sprintf("buy:%d:%d", r.ID, p.PostingID), trigger, fen})
			}
		}
	}
	if err := s.giveAll(ctx, dues); err != nil {
		return err
	}
	var backs, refunds []int64
	for _, p := range list {
		switch {
		case p.MemberID == 0:
		case p.Kind == ledger.KindSaleRefund:
			backs = append(backs, p.RefID)
		case p.Kind == ledger.KindRefund:
			refunds = append(refunds, p.RefID)
		}
		if p.ReversesID == 0 || p.MemberID == 0 {
			continue
		}
		if err := s.shrink(ctx, AfterPurchase, sale.Kept{PostingID: p.ReversesID}); err != nil {
			return err
		}
	}
	kept, err := sale.KeptOf(ctx, s.db, backs)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if err := s.shrink(ctx, AfterPurchase, k); err != nil {
			return err
		}
	}
	left, err := wallet.KeptOf(ctx, s.db, refunds)
	if err != nil {
		return err
	}
	for _, k := range left {
		if err := s.shrink(ctx, AfterTopup, sale.Kept(k)); err != nil {
			return err
		}
	}
	return nil
}

// shrink takes back what was given for the part of a purchase or top-up that went back.
func (s *Service) shrink(ctx context.Context, source string, k sale.Kept) error {
	gifts, err := giftsOf(ctx, s.db, source, k.PostingID)
	for _, g := range gifts {
		if err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if _, err := s.members.StandingTx(ctx, tx, g.MemberID); err != nil {
				return err
			}
			return s.shrinkTx(ctx, tx, g.Dedupe, k.PaidFen, k.KeptFen)
		}); err != nil {
			return err
		}
	}
	return err
}

// sweepJoined gives to those who became members since a rule began. A second card is no second beginning.
func (s *Service) sweepJoined(ctx context.Context, rules []Rule, end time.Time) error {
	if len(rules) == 0 {
		return nil
	}
	c, err := cursor(ctx, s.db, "joined")
	if err != nil {
		return err
	}
	at := from(c, rules)
	for s.db.Now().Before(end) {
		list, err := s.members.CardedAfter(ctx, at, chunk)
		if err != nil {
			return err
		}
		var dues []due
		settled, moved := s.db.Now().Add(-late), c.AtID
		for _, x := range list {
			for _, r := range rules {
				if r.holds(x.JoinedAt) {
					dues = append(dues, due{r, x.MemberID, 0, fmt.Sprintf("join:%d:%d", r.ID, x.MemberID), Join, 0})
				}
			}
			if at = x.CardID; x.IssuedAt.Before(settled) {
				c.AtID = x.CardID
			}
		}
		if err := s.giveAll(ctx, dues); err != nil {
			return err
		}
		if moved != c.AtID {
			if err := saveCursor(ctx, s.db, c); err != nil {
				return err
			}
		}
		if len(list) < chunk {
			return nil
		}
	}
	return nil
}

// sweepRatings gives for ratings; the cursor holds the instant of the last one.
func (s *Service) sweepRatings(ctx context.Context, rules []Rule, end time.Time) error {
	if len(rules) == 0 || s.ratings == nil {
		return nil
	}
	c, err := cursor(ctx, s.db, "ratings")
	if err != nil {
		return err
	}
	at := time.UnixMilli(max(c.AtID, begins(rules).UnixMilli()))
	for s.db.Now().Before(end) {
		list, err := s.ratings.RatedSince(ctx, at, chunk)
		if err != nil {
			return err
		}
		var dues []due
		settled, moved := s.db.Now().Add(-late), c.AtID
		for _, x := range list {
			for _, r := range rules {
				if r.holds(x.At) && x.Stars >= r.Terms.MinStars {
					dues = append(dues, due{r, x.MemberID, x.RefID, fmt.Sprintf("review:%d:%d", r.ID, x.RefID), Review, 0})
				}
			}
			if x.At.Before(settled) {
				c.AtID = x.At.UnixMilli()
			}
		}
		if err := s.giveAll(ctx, dues); err != nil {
			return err
		}
		if moved != c.AtID {
			if err := saveCursor(ctx, s.db, c); err != nil {
				return err
			}
		}
		if len(list) < chunk || !list[len(list)-1].At.After(at) {
			return nil
		}
		at = list[len(list)-1].At
	}
	return nil
}

// sweepActivities gives to every member who is there when the activity is: in the order of their ids, and once more from the start each hour for
// those who joined meanwhile.
func (s *Service) sweepActivities(ctx context.Context, rules []Rule, end time.Time) error {
	for _, r := range rules {
		if !r.holds(s.db.Now()) {
			continue
		}
		c, err := cursor(ctx, s.db, fmt.Sprintf("activity:%d", r.ID))
		if err != nil {
			return err
		}
		hour := s.db.Now().UTC().Format("2006-01-02T15")
		if c.AtID == 0 && c.AtDay == hour {
			continue // went through in this hour
		}
		for s.db.Now().Before(end) {
			list, err := s.members.ActiveAfter(ctx, s.db.Now(), c.AtID, chunk)
			if err != nil {
				return err
			}
			dues := make([]due, 0, len(list))
			for _, m := range list {
				dues = append(dues, due{r, m, 0, fmt.Sprintf("activity:%d:%d", r.ID, m), Activity, 0})
				c.AtID = m
			}
			if err := s.giveAll(ctx, dues); err != nil {
				return err
			}
			if len(list) < chunk {
				c.AtID, c.AtDay = 0, hour
			}
			if err := saveCursor(ctx, s.db, c); err != nil {
				return err
			}
			if c.AtID == 0 {
				break
			}
		}
	}
	return nil
}

// SweepBirthdays gives birthday gifts on the days since the last run, at most a week back, once a year.
func (s *Service) SweepBirthdays(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("礼遇规则"))
	rules, err := readRules(ctx, s.db)
	if err != nil {
		return err
	}
	end := s.db.Now().Add(patience)
	today := bizday.Of(s.db.Now(), bizday.DefaultZone)
	for _, r := range append(rules, s.ofTiers()) {
		if r.Trigger != Birthday || !r.holds(s.db.Now()) {
			continue
		}
		c, err := cursor(ctx, s.db, fmt.Sprintf("birthday:%d", r.ID))
		if err != nil {
			return err
		}
		if c.AtDay == "" {
			c.AtDay = bizday.Add(today, -1)
		}
		c.AtDay = max(c.AtDay, bizday.Add(today, -8))
		for c.AtDay < today && s.db.Now().Before(end) {
			day := bizday.Add(c.AtDay, 1)
			if done, err := s.birthday(ctx, r, day, end); err != nil || !done {
				return err
			}
			c.AtDay = day
			if err := saveCursor(ctx, s.db, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// ofTiers stands for what the tiers themselves give on birthdays (C12): a rule without an id.
func (s *Service) ofTiers() Rule { return Rule{Trigger: Birthday, Active: true} }

// birthday goes through those who are to be given on a day; false when time ran out: the next run begins with this day again, and what was given
// stays given.
func (s *Service) birthday(ctx context.Context, r Rule, day string, end time.Time) (done bool, err error) {
	t, err := time.Parse(time.DateOnly, bizday.Add(day, r.Terms.DaysBefore))
	if err != nil {
		return false, err
	}
	for _, md := range monthDays(t) {
		after := int64(0)
		for {
			list, err := s.members.Born(ctx, md, after, chunk)
			if err != nil {
				return false, err
			}
			dues := make([]due, 0, len(list))
			for _, m := range list {
				after = m
				rule := r
				if r.ID == 0 {
					g, err := s.tiers.BirthdayGift(ctx, s.db, m)
					if err != nil {
						return false, err
					}
					if g == nil {
						continue
					}
					rule.Name, rule.Gift = cmp.Or(g.Title, "生日礼"), Gift{{Kind: g.Kind, ID: g.ID, N: g.N}}
				}
				if had, err := s.celebrated(ctx, r.ID, m, t.Year()); err != nil {
					return false, err
				} else if had {
					continue
				}
				dues = append(dues, due{rule, m, 0, birthdayKey(r.ID, m, t.Year()), Birthday, 0})
			}
			if err := s.giveAll(ctx, dues); err != nil {
				return false, err
			}
			if len(list) < chunk {
				break
			}
			if !s.db.Now().Before(end) {
				return false, nil
			}
		}
	}
	return true, nil
}

func birthdayKey(ruleID, memberID int64, year int) string {
	return fmt.Sprintf("birthday:%d:%d:%d", ruleID, memberID, year)
}

// celebrated says whether somebody who was merged into a member had the birthday gift of a year.
func (s *Service) celebrated(ctx context.Context, ruleID, memberID int64, year int) (bool, error) {
	merged, err := s.members.MergedInto(ctx, s.db, memberID)
	if err != nil || len(merged) == 0 {
		return false, err
	}
	keys := make([]string, len(merged))
	for i, m := range merged {
		keys[i] = birthdayKey(ruleID, m, year)
	}
	had, err := knownGifts(ctx, s.db, keys)
	return len(had) > 0, err
}
