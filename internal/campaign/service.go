package campaign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/tier"
)

// Rated is a rating that a member gave of a visit.
type Rated struct {
	RefID, MemberID int64
	Stars           int
	At              time.Time
}

// Ratings tells who rated what since an instant, oldest first.
type Ratings interface {
	RatedSince(ctx context.Context, since time.Time, limit int) ([]Rated, error)
}

// Service runs the use cases of gifts. It is safe for concurrent use once connected.
type Service struct {
	db      *db.DB
	log     *slog.Logger
	box     *secret.Box
	members *member.Service
	tiers   *tier.Service
	ratings Ratings
	givers  map[string]Giver
}

// New returns the service. ratings may be nil where nobody rates.
func New(d *db.DB, log *slog.Logger, box *secret.Box, m *member.Service, t *tier.Service, ratings Ratings) *Service {
	return &Service{db: d, log: log, box: box, members: m, tiers: t, ratings: ratings, givers: map[string]Giver{}}
}

// Connect says who gives presents of a kind; before anything is given.
func (s *Service) Connect(kind string, g Giver) { s.givers[kind] = g }

// CheckGift names what is wrong with a gift at field[i]. It returns what the gift is called. Faults: ErrGift; field is blamed when it is empty.
func (s *Service) CheckGift(ctx context.Context, r db.Reader, field string, g Gift) (title string, err error) {
	f := ErrGift
	if len(g) == 0 || len(g) > maxPresents {
		return "", f.On(field, fmt.Sprintf("请选择 1 至 %d 项赠品", maxPresents))
	}
	for i, p := range g {
		at := fmt.Sprintf("%s[%d]", field, i)
		most := int64(maxNumber)
		if p.Kind == Points {
			most = maxPoints
		}
		giver := s.givers[p.Kind]
		switch {
		case giver == nil:
			f = f.On(at+".kind", "现在不能送这种赠品")
			continue
		case p.N < 1 || p.N > most:
			f = f.On(at+".n", fmt.Sprintf("数量应为 1 至 %d", most))
			continue
		case p.Kind == Points && p.ID != 0:
			f = f.On(at+".id", "积分不需要选择")
			continue
		case slices.ContainsFunc(g[:i], func(q Present) bool { return q.Kind == p.Kind && q.ID == p.ID }):
			f = f.On(at+".id", "与前面的赠品重复，请合并数量")
			continue
		}
		name, err := giver.Check(ctx, r, p.ID, p.N)
		if known := new(fault.Error); errors.As(err, &known) && known.Kind < 500 {
			f = f.On(at+".id", known.Message)
			continue
		} else if err != nil {
			return "", err
		}
		if title != "" {
			title += "、"
		}
		title += name
	}
	if len(f.Fields) > 0 {
		return "", f
	}
	return title, nil
}

// Title is what a gift is called now; what cannot be named any more is left out.
func (s *Service) Title(ctx context.Context, r db.Reader, g Gift) (title string, err error) {
	for _, p := range g {
		giver := s.givers[p.Kind]
		if giver == nil {
			continue
		}
		name, err := giver.Check(ctx, r, p.ID, p.N)
		if known := new(fault.Error); errors.As(err, &known) && known.Kind < 500 {
			continue
		} else if err != nil {
			return "", err
		}
		if title != "" {
			title += "、"
		}
		title += name
	}
	return title, nil
}

// Give is a gift on its way to a member.
type Give struct {
	MemberID int64
	RuleID   int64  // 0 when no rule of this package says so
	Source   string // "birthday", "referral", "code" …
	RefID    int64  // what it is for
	Dedupe   string // unique for ever
	Title    string // what the member reads: 生日礼
	Gift     Gift

	basis basis // of a purchase
}

// given is a present as it is kept: with what came of it, and how much of it went back.
type given struct {
	Present
	Refs []int64 `json:"refs,omitempty"`
	Back int64   `json:"back,omitempty"`
}

// GiveTx gives a gift once: false when its dedupe text was used before. The member should be locked.
func (s *Service) GiveTx(ctx context.Context, tx *db.Tx, g Give) (bool, error) {
	holder, err := s.members.Holder(ctx, tx, g.MemberID) // who earned it may have been merged into another member
	if err != nil {
		return false, err
	}
	g.MemberID = holder
	list := make([]given, len(g.Gift))
	for i, p := range g.Gift {
		list[i].Present = p
	}
	row := giftRow{ID: tx.NewID(), MemberID: g.MemberID, RuleID: g.RuleID, Source: g.Source, RefID: g.RefID, Dedupe: g.Dedupe, Title: db.Clip(g.Title, 60), State: Given, CreatedAt: tx.Millis()}
	if err := errors.Join(row.keep(list), row.base(g.basis)); err != nil {
		return false, err
	}
	err = tx.Insert(ctx, "campaign_gifts", row)
	if errors.Is(err, db.ErrDuplicate) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	kept := false
	err = s.eachPresent(row, list, func(giver Giver, p Grant, i int) (err error) {
		list[i].Refs, err = giver.GiveTx(ctx, tx, p)
		kept = kept || len(list[i].Refs) > 0
		return err
	})
	if err != nil || !kept {
		return err == nil, err
	}
	if err := row.keep(list); err != nil {
		return false, err
	}
	return true, keepPresents(ctx, tx, row)
}

// TakeBackTx takes a gift back once: false when it was taken back before, or never given. The member should be locked.
func (s *Service) TakeBackTx(ctx context.Context, tx *db.Tx, dedupe string) (bool, error) {
	ended, err := endGift(ctx, tx, dedupe)
	if err != nil || !ended {
		return false, err
	}
	row, err := giftBy(ctx, tx, dedupe, "")
	if err != nil {
		return false, err
	}
	list, err := row.list()
	if err != nil {
		return false, err
	}
	return true, s.eachPresent(row, list, func(giver Giver, p Grant, _ int) error {
		if p.Take = p.N - p.Back; p.Take < 1 {
			return nil
		}
		return giver.TakeBackTx(ctx, tx, p)
	})
}

// eachPresent goes through the presents in the order in which assets are locked.
func (s *Service) eachPresent(row giftRow, list []given, do func(g Giver, p Grant, i int) error) error {
	var g Gift
	for _, p := range list {
		g = append(g, p.Present)
	}
	for _, i := range g.ordered() {
		giver := s.givers[g[i].Kind]
		if giver == nil {
			return fmt.Errorf("campaign: nobody gives %s", g[i].Kind)
		}
		if err := do(giver, Grant{GiftID: row.ID, MemberID: row.MemberID, ID: g[i].ID, N: g[i].N, Source: row.Source, Dedupe: fmt.Sprintf("gift:%d:%d", row.ID, i), Title: row.Title,
			Refs: list[i].Refs, Back: list[i].Back}, i); err != nil {
			return err
		}
	}
	return nil
}

// TopupGifts says what top-ups of these amounts would bring the member by the rules of now, each in words; "" for nothing.
func (s *Service) TopupGifts(ctx context.Context, memberID int64, amounts []money.Fen) ([]string, error) {
	out := make([]string, len(amounts))
	rules, err := readRules(ctx, s.db)
	if err != nil {
		return nil, err
	}
	rules = slices.DeleteFunc(rules, func(r Rule) bool { return r.Trigger != AfterTopup || !r.holds(s.db.Now()) })
	if len(rules) == 0 {
		return out, nil
	}
	t, err := s.tiers.OfMember(ctx, s.db, memberID)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if !r.forTier(t.ID) {
			continue
		}
		if most := r.each(); most > 0 {
			if got, err := s.givenTo(ctx, s.db, r.ID, memberID); err != nil {
				return nil, err
			} else if got >= most {
				continue
			}
		}
		for i, fen := range amounts {
			n := r.basis().times(fen)
			if n == 0 {
				continue
			}
			title, err := s.Title(ctx, s.db, r.Gift.of(n))
			if err != nil {
				return nil, err
			}
			if out[i] != "" && title != "" {
				out[i] += "、"
			}
			out[i] += title
		}
	}
	return out, nil
}

// FirstFollowTx gives what active rules say to a member who follows the official account for the first time. person names the human being, by
// unionid or openid: who unfollows and follows again gets nothing more.
func (s *Service) FirstFollowTx(ctx context.Context, tx *db.Tx, memberID int64, person string) error {
	rules, err := readRules(ctx, tx)
	if err != nil {
		return err
	}
	t, err := s.tiers.OfMember(ctx, tx, memberID)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.Trigger != FirstFollow || !r.holds(tx.Now) || !r.forTier(t.ID) {
			continue
		}
		// A person with two members gets one gift, a member with two WeChat accounts too.
		got, err := s.givenTo(ctx, tx, r.ID, memberID)
		if err != nil {
			return err
		}
		if got > 0 {
			continue
		}
		if _, err := s.GiveTx(ctx, tx, Give{MemberID: memberID, RuleID: r.ID, Source: FirstFollow, Dedupe: fmt.Sprintf("follow:%d:%s", r.ID, s.box.Index("campaign.person", person)), Title: r.Name, Gift: r.Gift}); err != nil {
			return err
		}
	}
	return nil
}

func (r Rule) forTier(id int64) bool {
	return len(r.Terms.TierIDs) == 0 || slices.Contains(r.Terms.TierIDs, id)
}

// Rules lists the rules with how often each has given.
func (s *Service) Rules(ctx context.Context) ([]Rule, map[int64]int, error) {
	rules, err := readRules(ctx, s.db)
	if err != nil {
		return nil, nil, err
	}
	given, err := givenBy(ctx, s.db)
	return rules, given, err
}

// SaveRule adds a rule, or replaces the one with the id. Faults: fault.ErrInvalid, ErrGift, fault.ErrNotFound.
func (s *Service) SaveRule(ctx context.Context, id int64, in RuleInput) (out Rule, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		r := Rule{ID: id, Active: true, StartsAt: tx.Now, CreatedAt: tx.Now}
		action := "gift_rule.create"
		if id != 0 {
			old, err := lockRule(ctx, tx, id)
			if err != nil {
				return err
			}
			r, action = old, "gift_rule.update"
		} else {
			r.ID = tx.NewID()
		}
		if err := s.checkRule(ctx, tx, &in, r, id != 0); err != nil {
			return err
		}
		r.Name, r.Trigger, r.Terms, r.Gift, r.EndsAt = in.Name, in.Trigger, in.Terms, in.Gift, time.Time{}
		if in.StartsAt != nil {
			r.StartsAt = *in.StartsAt
		}
		if in.EndsAt != nil {
			r.EndsAt = *in.EndsAt
		}
		if in.Active != nil {
			r.Active = *in.Active
		}
		if id == 0 {
			err = insertRule(ctx, tx, r)
		} else {
			err = updateRule(ctx, tx, r, false)
		}
		if err != nil {
			return err
		}
		out = r
		return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "gift_rule", SubjectID: r.ID, SubjectLabel: r.Name, Detail: in})
	})
	return out, err
}

func (s *Service) checkRule(ctx context.Context, tx *db.Tx, in *RuleInput, old Rule, exists bool) error {
	var c fault.Complaints
	in.check(&c)
	if exists && in.Trigger != old.Trigger {
		c.Bad("trigger", "已建的规则不能换触发条件，请另建一条")
	}
	tiers, err := s.tiers.Tiers(ctx)
	if err != nil {
		return err
	}
	for i, id := range in.Terms.TierIDs {
		if !slices.ContainsFunc(tiers, func(t tier.Tier) bool { return t.ID == id }) {
			c.Bad(fmt.Sprintf("terms.tierIds[%d]", i), "没有这个会员等级")
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	_, err = s.CheckGift(ctx, tx, "gift", in.Gift)
	return err
}

// DeleteRule ends a rule; what it gave stays. Fault: fault.ErrNotFound.
func (s *Service) DeleteRule(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		r, err := lockRule(ctx, tx, id)
		if err != nil {
			return err
		}
		r.Active = false
		if err := updateRule(ctx, tx, r, true); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "gift_rule.delete", SubjectKind: "gift_rule", SubjectID: id, SubjectLabel: r.Name})
	})
}
