package points

import (
	"context"
	"log/slog"
	"time"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// TierOf tells which tier a member is in.
type TierOf func(ctx context.Context, r db.Reader, memberID int64) (int64, error)

// OwnRate tells what a member's tier itself makes of the points: 10000 is the usual.
type OwnRate func(ctx context.Context, r db.Reader, memberID int64) (money.BP, error)

// Multiply hands over the tiers' own multipliers (C10), before the first request. The rules' multiplier of a tier goes before the tier's own.
func (s *Service) Multiply(own OwnRate) { s.own = own }

// Service keeps the rules and moves points.
type Service struct {
	db       *db.DB
	log      *slog.Logger
	members  *member.Service
	shops    *shop.Service
	settings *setting.Service
	messages *notify.Service
	tierOf   TierOf
	own      OwnRate // nil: tiers have none
	rules    fresh.Value[Rules]
}

// New returns the service.
func New(d *db.DB, log *slog.Logger, m *member.Service, sh *shop.Service, st *setting.Service, n *notify.Service, tierOf TierOf) *Service {
	return &Service{db: d, log: log, members: m, shops: sh, settings: st, messages: n, tierOf: tierOf}
}

// units are what a member's points are made of; books of points hold both.
func units() []ledger.Unit { return []ledger.Unit{ledger.Points, ledger.PointsDebt} }

// AheadTx reads and locks the points of several members at once, with the next db.Tx.Collect, for the other steps in the same transaction. The members
// are in ascending order.
func (s *Service) AheadTx(ctx context.Context, tx *db.Tx, members []int64) error {
	if len(members) == 0 {
		return nil
	}
	on, err := s.on(ctx)
	if err != nil || !on {
		return err
	}
	ledger.AheadUnitsTx(tx, members, units()...)
	return nil
}

// on says whether purchases bring points or points pay: otherwise a settlement need not read any.
func (s *Service) on(ctx context.Context) (bool, error) {
	base, err := s.settings.Int(ctx, setting.PointsEarnBP)
	if err != nil || base > 0 {
		return base > 0, err
	}
	pay, err := s.settings.Int(ctx, setting.PointsMaxPayBP)
	return pay > 0, err
}

// expiry is when points that come now end.
func (s *Service) expiry(ctx context.Context, now time.Time, storeID int64) (int64, error) {
	months, err := s.settings.Int(ctx, setting.PointsExpireMonths)
	return Expiry(now, months, s.shops.Zone(ctx, storeID)), err
}

// Rules are the rules in force, at most two seconds old.
func (s *Service) Rules(ctx context.Context) (Rules, error) {
	return s.rulesOf(ctx, s.db)
}

func (s *Service) rulesOf(ctx context.Context, r db.Reader) (Rules, error) {
	return s.rules.Get(ctx, s.db.Now(), func(ctx context.Context) (Rules, error) { return readRules(ctx, r, "") })
}

// SetRules replaces the rules. Faults: ErrRules, ErrRulesChanged when somebody else changed them since they were read.
func (s *Service) SetRules(ctx context.Context, in Rules) (out Rules, err error) {
	if in, err = in.clean(); err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		old, err := readRules(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		if old.Version != in.Version {
			return ErrRulesChanged
		}
		next := in
		next.Version++
		if err := writeRules(ctx, tx, old.Version, next); err != nil {
			return err
		}
		tx.AfterCommit(s.rules.Forget)
		out = next
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "points.rules", SubjectKind: "points", SubjectLabel: "积分规则",
			Detail: map[string]Rules{"before": old, "after": next}})
	})
	return out, err
}

// Expiring is what ends on a day.
type Expiring struct {
	Day    string `json:"day" doc:"The last date on which they may be used"`
	Points int64  `json:"points"`
}

// Summary is what a member has.
type Summary struct {
	Available int64      `json:"available" doc:"May be used now"`
	Debt      int64      `json:"debt" doc:"Taken back after they were spent; the next points pay it first"`
	WorthFen  money.Fen  `json:"worthFen" doc:"What the available points may pay"`
	PerYuan   int64      `json:"perYuan" doc:"So many points pay one yuan"`
	EarnBP    money.BP   `json:"earnBp" doc:"Points per yuan paid ×10000; 0 when the shop gives none"`
	MaxPayBP  money.BP   `json:"maxPayBp" doc:"The share of a bill that points may pay"`
	Expiring  []Expiring `json:"expiring" doc:"Soonest first"`
}

// Of reads what a member has, for display.
func (s *Service) Of(ctx context.Context, memberID int64) (sum Summary, err error) {
	read := func(key string) (n int64) {
		if err == nil {
			n, err = s.settings.Int(ctx, key)
		}
		return n
	}
	sum.PerYuan, sum.EarnBP, sum.MaxPayBP = read(setting.PointsYuanRate), money.BP(read(setting.PointsEarnBP)), money.BP(read(setting.PointsMaxPayBP))
	if err != nil {
		return sum, err
	}
	now := s.db.Now()
	b, err := ledger.Peek(ctx, s.db, now, memberID, units()...)
	if err != nil {
		return sum, err
	}
	sum.Available, sum.Debt = usable(b), b.Balance(ledger.PointsDebt)
	if sum.PerYuan > 0 {
		sum.WorthFen = money.Fen(sum.Available * 100 / sum.PerYuan)
	}
	for _, l := range b.Lots(ledger.Points) {
		if l.ExpiresAt == 0 || l.Expired(now) {
			continue
		}
		if n := len(sum.Expiring); n > 0 && sum.Expiring[n-1].Day == lastDay(l.ExpiresAt) {
			sum.Expiring[n-1].Points += l.Remaining
			continue
		}
		sum.Expiring = append(sum.Expiring, Expiring{lastDay(l.ExpiresAt), l.Remaining})
	}
	return sum, nil
}

// usable is what of a book may be used: a debt comes first.
func usable(b *ledger.Book) int64 {
	return max(b.Available(ledger.Points)-b.Balance(ledger.PointsDebt), 0)
}

// exists is not_found for who is no member.
func (s *Service) exists(ctx context.Context, memberID int64) error {
	names, err := s.members.MaskedNames(ctx, []int64{memberID})
	if err == nil && len(names) == 0 {
		err = fault.ErrNotFound
	}
	return err
}
