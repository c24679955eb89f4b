package tier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// Progress is how far a member is with one measure of the next tier.
type Progress struct {
	Kind    string `json:"kind" enum:"spend_year,spend_life,visits_year,visits_life,experience,car_months,car_km"`
	Label   string `json:"label" doc:"As people read it: 近 12 个月消费"`
	Have    int64  `json:"have" doc:"Fen, days, points of experience, months or kilometres"`
	Need    int64  `json:"need"`
	Missing string `json:"missing,omitempty" doc:"What is still missing, as people read it; absent when it is met"`
}

// NextTier is the tier above with what it asks for and brings.
type NextTier struct {
	Tier     Tier       `json:"tier"`
	Match    string     `json:"match" enum:"any,all" doc:"One of the measures is enough, or all are needed"`
	Progress []Progress `json:"progress"`
	Brings   []string   `json:"brings" doc:"In words"`
}

// RightLeft is a right of a member with what is left of it in the period that runs.
type RightLeft struct {
	RightID    int64     `json:"rightId"`
	Kind       string    `json:"kind" enum:"free_use,counted"`
	Title      string    `json:"title"`
	From       string    `json:"from" doc:"The tier or membership that gives it"`
	Period     string    `json:"period" enum:"week,month,year,term"`
	PeriodText string    `json:"periodText"`
	Times      int64     `json:"times"`
	Left       int64     `json:"left"`
	ExpiresAt  time.Time `json:"expiresAt"`
	Note       string    `json:"note,omitempty"`
	ServiceIDs []int64   `json:"serviceIds,omitempty" doc:"Of a free use: what it pays at the till"`
}

// Change is one change of a member's tier.
type Change struct {
	ID       int64     `json:"id"`
	FromName string    `json:"fromName"`
	ToName   string    `json:"toName"`
	Source   string    `json:"source" enum:"default,rule,manual,membership,account"`
	Reason   string    `json:"reason"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"`
}

// Used is one use of a right.
type Used struct {
	ID        int64     `json:"id"`
	RightID   int64     `json:"rightId"`
	Title     string    `json:"title"`
	Qty       int64     `json:"qty"`
	StoreID   int64     `json:"storeId"`
	Plate     string    `json:"plate,omitempty"`
	Note      string    `json:"note,omitempty"`
	OrderID   int64     `json:"orderId,omitempty" doc:"Absent when it was used outside the till"`
	StaffName string    `json:"staffName"`
	Undone    bool      `json:"undone"`
	At        time.Time `json:"at"`
}

// Mine is where a member stands and what comes next.
type Mine struct {
	Tier        Full         `json:"tier"`
	Source      string       `json:"source" enum:"default,rule,manual,membership,account"`
	Reason      string       `json:"reason,omitempty"`
	KeptUntil   string       `json:"keptUntil,omitempty" doc:"Last day on which the tier stays without another visit; absent when it is not lost"`
	Brings      []string     `json:"brings" doc:"In words"`
	Next        *NextTier    `json:"next,omitempty" doc:"Absent at the top"`
	Rights      []RightLeft  `json:"rights"`
	Memberships []Membership `json:"memberships" doc:"Newest first"`
	Changes     []Change     `json:"changes" doc:"Newest first, at most 20"`
	Tiers       []Tier       `json:"tiers" doc:"All, lowest first"`
}

// Of tells where a member stands: for the owner, the desk and the console.
func (s *Service) Of(ctx context.Context, memberID int64) (m Mine, err error) {
	rules, err := s.rules(ctx, s.db)
	if err != nil {
		return m, err
	}
	now := s.db.Now()
	f, err := s.read(ctx, s.db, rules, now, []int64{memberID}, "")
	if err != nil {
		return m, err
	}
	p := f.places[memberID]
	if m.Tier, err = pick(rules.Tiers, p.TierID); err != nil {
		return m, err
	}
	m.Source, m.Reason, m.Brings = p.Source, p.Reason, brings(m.Tier)
	if p.MemberID == 0 {
		m.Source = FromDefault
	}
	facts := f.facts[memberID]
	if !m.Tier.IsDefault {
		m.KeptUntil = rules.keptUntil(now, facts, f.hand[memberID], f.paid[memberID], f.placed[memberID])
	}
	m.Next = rules.next(m.Tier, facts.line(), today(now))
	if m.Rights, err = s.RightsLeft(ctx, memberID); err != nil {
		return m, err
	}
	if m.Memberships, err = s.Memberships(ctx, memberID); err != nil {
		return m, err
	}
	for _, t := range rules.Tiers {
		m.Tiers = append(m.Tiers, t.Tier)
	}
	m.Changes, err = s.Changes(ctx, memberID, 20)
	return m, err
}

// Changes lists a member's changes of tier, newest first.
func (s *Service) Changes(ctx context.Context, memberID int64, limit int) ([]Change, error) {
	rows, err := changesOf(ctx, s.db, memberID, s.db.NewID(), limit)
	out := make([]Change, 0, len(rows))
	for _, c := range rows {
		out = append(out, Change{c.ID, c.FromName, c.ToName, c.Source, c.Reason, c.ChangedBy, clock.FromMillis(c.CreatedAt)})
	}
	return out, err
}

// next is the lowest tier above that one can rise into by its rule.
func (s Rules) next(have Full, l line, now int) *NextTier {
	for _, t := range s.Tiers {
		if t.Rank <= have.Rank || t.Programme.Rule == nil {
			continue
		}
		n := &NextTier{Tier: t.Tier, Match: t.Programme.Rule.Match, Brings: brings(t)}
		for _, m := range t.Programme.Rule.Measures {
			p := Progress{Kind: m.Kind, Label: kinds[m.Kind].label, Have: l.value(m.Kind, now), Need: m.AtLeast}
			if p.Have < p.Need {
				p.Missing = "还差 " + amount(m.Kind, p.Need-p.Have)
			}
			n.Progress = append(n.Progress, p)
		}
		return n
	}
	return nil
}

// brings says in words what a tier brings.
func brings(f Full) (out []string) {
	if f.DiscountBP > 0 && f.DiscountBP < 10000 && len(f.Programme.Discounts) == 0 {
		out = append(out, "全部项目 "+zhe(int64(f.DiscountBP)))
	} else {
		for _, kind := range []string{"wash", "detail", "film", "repair", "other", "good"} {
			if bp := f.Discount(kind); bp < 10000 {
				out = append(out, kindNames[kind]+" "+zhe(int64(bp)))
			}
		}
	}
	if bp := f.Programme.FinalBP; bp > 0 && bp < 10000 {
		out = append(out, "整单再享 "+zhe(int64(bp)))
	}
	if n := len(f.Programme.MemberPrices); n > 0 {
		out = append(out, fmt.Sprintf("%d 个项目享会员价", n))
	}
	for _, r := range f.Programme.Rights {
		out = append(out, fmt.Sprintf("%s·%s %d 次", r.Title, periodName(r.Period), r.Times))
	}
	if bp := f.Programme.PointsBP; bp > 10000 {
		out = append(out, fmt.Sprintf("%d.%d 倍积分", bp/10000, bp%10000/1000))
	}
	if f.Priority {
		out = append(out, "优先预约，免排队")
	}
	if g := f.Programme.Gift; g != nil {
		out = append(out, "生日礼："+g.Title)
	}
	return append(out, f.Programme.Comforts...)
}

// zhe writes a share as people say it: 9500 is "9.5 折".
func zhe(bp int64) string {
	text := fmt.Sprintf("%d.%03d", bp/1000, bp%1000)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text + " 折"
}

// RightsLeft lists a member's rights with what is left of them.
func (s *Service) RightsLeft(ctx context.Context, memberID int64) ([]RightLeft, error) {
	o, err := s.ownedBy(ctx, s.db, memberID, s.db.Now())
	out := make([]RightLeft, 0, len(o.entitled))
	for _, e := range o.entitled {
		out = append(out, RightLeft{RightID: e.ID, Kind: e.Kind, Title: e.Title, From: e.From, Period: e.Period, PeriodText: fmt.Sprintf("%s %d 次", periodName(e.Period), e.Times),
			Times: e.Times, Left: e.left(o.grants[grantKey{e.ID, e.Key}]), ExpiresAt: e.Until, Note: e.Note, ServiceIDs: e.ServiceIDs})
	}
	return out, err
}

// UsesOf lists a member's uses of rights, newest first.
func (s *Service) UsesOf(ctx context.Context, memberID int64, limit int) ([]Used, error) {
	rows, err := usesOf(ctx, s.db, memberID, limit)
	out := make([]Used, 0, len(rows))
	for _, u := range rows {
		out = append(out, Used{u.ID, u.RightID, u.Title, u.Qty, u.StoreID, u.Plate, u.Note, u.OrderID, u.StaffName, u.State == useUndone, clock.FromMillis(u.CreatedAt)})
	}
	return out, err
}

// PreviewTier is how many members are in a tier now, and would be.
type PreviewTier struct {
	TierID int64  `json:"tierId" doc:"0 for the tier that does not exist yet"`
	Name   string `json:"name"`
	Color  string `json:"color"`
	Now    int64  `json:"now"`
	Then   int64  `json:"then"`
}

// Preview is what a change of one tier would do.
type Preview struct {
	Tiers    []PreviewTier `json:"tiers" doc:"Lowest first"`
	Members  int64         `json:"members" doc:"Looked at"`
	Up       int64         `json:"up"`
	Down     int64         `json:"down"`
	Complete bool          `json:"complete" doc:"false: there are more members than could be looked at in a few seconds"`
	Warnings []string      `json:"warnings" doc:"Allowed, but perhaps not meant"`
}

// previewTime is how long a preview may take.
const previewTime = 8 * time.Second

// Preview computes what would become of everybody if the tier were as the input says. id 0: a new tier. It writes nothing. Faults: request.invalid,
// not_found.
func (s *Service) Preview(ctx context.Context, tierID int64, in Input) (out Preview, err error) {
	if in, err = in.clean(); err != nil {
		return out, err
	}
	if err = s.known(ctx, in.Programme); err != nil {
		return out, err
	}
	now, err := s.rules(ctx, s.db)
	if err != nil {
		return out, err
	}
	old := Full{}
	if tierID != 0 {
		i := slices.IndexFunc(now.Tiers, func(t Full) bool { return t.ID == tierID })
		if i < 0 {
			return out, fault.ErrNotFound
		}
		old = now.Tiers[i]
	}
	draft, err := in.apply(func() int64 { return 0 }, old, now.Tiers)
	if err != nil {
		return out, err
	}
	then := Rules{Terms: now.Terms}
	for _, t := range now.Tiers {
		if t.ID != tierID {
			t.IsDefault = t.IsDefault && !draft.IsDefault
			then.Tiers = append(then.Tiers, t)
		}
	}
	then.Tiers = append(then.Tiers, draft)
	sortTiers(then.Tiers)
	out.Warnings = worse(then.Tiers)
	return out, s.compare(ctx, now, then, &out)
}

// compare counts where everybody is by the rules of now and of then.
func (s *Service) compare(ctx context.Context, now, then Rules, out *Preview) error {
	at := map[int64]*PreviewTier{}
	for _, t := range then.Tiers {
		at[t.ID] = &PreviewTier{TierID: t.ID, Name: t.Name, Color: t.Color}
	}
	stop := clock.Stopwatch()
	wide := Rules{Tiers: append(slices.Clone(now.Tiers), then.Tiers...), Terms: now.Terms} // so that what either of them measures is read
	for after := int64(0); s.People != nil; {
		members, err := s.People.LivingAfter(ctx, s.db, after, chunk)
		if err != nil {
			return err
		}
		if len(members) == 0 {
			out.Complete = true
			break
		}
		if stop() > previewTime {
			break
		}
		f, err := s.read(ctx, s.db, wide, s.db.Now(), members, "")
		if err != nil {
			return err
		}
		for _, m := range members {
			f.rules = now
			a, _ := f.decide(m)
			f.rules = then
			b, _ := f.decide(m)
			x, errX := pick(now.Tiers, a.TierID)
			y, errY := pick(then.Tiers, b.TierID)
			if errX != nil || errY != nil {
				return errNoDefault
			}
			if t := at[x.ID]; t != nil {
				t.Now++
			}
			at[y.ID].Then++
			switch {
			case x.ID == y.ID:
			case y.Rank > x.Rank:
				out.Up++
			default:
				out.Down++
			}
		}
		out.Members += int64(len(members))
		after = members[len(members)-1]
	}
	for _, t := range then.Tiers {
		out.Tiers = append(out.Tiers, *at[t.ID])
	}
	return nil
}

// worse warns of tiers that give a smaller discount than a lower one.
func worse(tiers []Full) (out []string) {
	for i := 1; i < len(tiers); i++ {
		low, high := tiers[i-1], tiers[i]
		for _, kind := range []string{"wash", "detail", "film", "repair", "other", "good"} {
			if high.Discount(kind) > low.Discount(kind) {
				out = append(out, fmt.Sprintf("「%s」的%s折扣不如更低的「%s」", high.Name, kindNames[kind], low.Name))
			}
		}
	}
	return out
}

// InTier is a member of a tier.
type InTier struct {
	MemberID   int64     `json:"memberId"`
	MemberName string    `json:"memberName" doc:"Masked"`
	Source     string    `json:"source" enum:"default,rule,manual,membership,account"`
	Reason     string    `json:"reason"`
	By         string    `json:"by,omitempty"`
	Since      time.Time `json:"since"`
}

// Members lists the members who were moved into a tier, in the order of their ids.
func (s *Service) Members(ctx context.Context, tierID, after int64, limit int) ([]InTier, error) {
	rows, err := inTier(ctx, s.db, tierID, after, limit)
	if err != nil {
		return nil, err
	}
	var names map[int64]string
	if s.Names != nil {
		ids := make([]int64, 0, len(rows))
		for _, p := range rows {
			ids = append(ids, p.MemberID)
		}
		if names, err = s.Names(ctx, ids); err != nil {
			return nil, err
		}
	}
	out := make([]InTier, 0, len(rows))
	for _, p := range rows {
		out = append(out, InTier{p.MemberID, names[p.MemberID], p.Source, p.Reason, p.SetBy, clock.FromMillis(p.SetAt)})
	}
	return out, nil
}

// Give assigns a tier to a member until the end of a day; until "" is for good. Faults: those of AssignTx, not_found.
func (s *Service) Give(ctx context.Context, a Assign, until string) error {
	if until != "" {
		_, end, err := bizday.Bounds(until, bizday.DefaultZone)
		if err != nil || !end.After(s.db.Now()) {
			return fault.ErrInvalid.On("until", "请填写今天或以后的日期")
		}
		a.Until = end
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if s.People != nil {
			if _, err := s.People.StandingTx(ctx, tx, a.MemberID); err != nil {
				return err
			}
		}
		return s.AssignTx(ctx, tx, a)
	})
}
