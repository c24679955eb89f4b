package memberview

import (
	"context"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/tier"
)

// Plans are the passes and top-ups that can be bought.
type Plans interface {
	OnSale(ctx context.Context, storeID int64) ([]pass.Plan, error)
	TopupPlans(ctx context.Context, storeID int64) ([]catalog.TopupPlan, error)
}

// Benefits is what a member holds beside money, in short.
type Benefits struct {
	UsesLeft   int64     `json:"usesLeft" doc:"Single uses of passes and rights"`
	Coupons    int       `json:"coupons" doc:"Usable now"`
	PointsDebt int64     `json:"pointsDebt,omitempty" doc:"Points that the next ones pay first"`
	NextTier   *TierStep `json:"nextTier,omitempty" doc:"Absent at the top"`
}

// TierStep is the way to the next tier, in short.
type TierStep struct {
	Name    string   `json:"name"`
	Percent int      `json:"percent" minimum:"0" maximum:"100"`
	Missing string   `json:"missing" doc:"What is still missing, in words"`
	Brings  []string `json:"brings"`
}

// tierStep sums the way to the next tier up: by the measure that is nearest when one is enough, otherwise by the one that is farthest.
func tierStep(n *tier.NextTier) *TierStep {
	if n == nil || len(n.Progress) == 0 {
		return nil
	}
	t := &TierStep{Name: n.Tier.Name, Brings: n.Brings}
	var missing []string
	for i, p := range n.Progress {
		percent := 100
		if p.Need > 0 {
			percent = int(min(max(p.Have, 0)*100/p.Need, 100))
		}
		switch {
		case n.Match == "any" && (i == 0 || percent > t.Percent):
			t.Percent, missing = percent, []string{p.Missing}
		case n.Match != "any":
			if i == 0 || percent < t.Percent {
				t.Percent = percent
			}
			if p.Missing != "" {
				missing = append(missing, p.Missing)
			}
		}
	}
	t.Missing = strings.Join(missing, "，")
	return t
}

// benefits reads what a member holds beside money.
func (s *Service) benefits(ctx context.Context, memberID int64, held holding) (b Benefits, err error) {
	b.UsesLeft, b.PointsDebt = held.Uses, held.Debt
	if b.Coupons, err = couponCount(ctx, s.db, memberID, s.db.Now().UnixMilli()); err != nil {
		return b, err
	}
	mine, err := s.tiers.Of(ctx, memberID)
	b.NextTier = tierStep(mine.Next)
	return b, err
}

// Savings compares what a member paid with what everybody pays, and says what serves the member best next (X11).
func (s *Service) Savings(ctx context.Context, memberID int64) (out Savings, err error) {
	f, err := s.facts(ctx, memberID, &out)
	if err != nil {
		return out, err
	}
	out.Next = next(f)
	return out, nil
}

func (s *Service) facts(ctx context.Context, memberID int64, out *Savings) (f facts, err error) {
	f.now = s.db.Now()
	since := f.now.AddDate(0, 0, -365)
	var last int64
	if out.Year, _, err = visitsPaid(ctx, s.db, memberID, since.UnixMilli()); err != nil {
		return f, err
	}
	if out.Life, last, err = visitsPaid(ctx, s.db, memberID, 0); err != nil {
		return f, err
	}
	year, life, err := paidAhead(ctx, s.db, memberID, f.now, since)
	if err != nil {
		return f, err
	}
	out.Year.PaidFen += year
	out.Life.PaidFen += life
	out.Year.settle()
	out.Life.settle()
	f.year = out.Year
	if last > 0 {
		f.lastAt = time.UnixMilli(last)
	}
	held, err := s.holding(ctx, memberID)
	if err != nil {
		return f, err
	}
	f.balance, f.points, f.usesLeft = held.TotalFen-held.HeldFen, held.Points, held.Uses
	if f.coupons, err = usableCoupons(ctx, s.db, memberID, f.now.UnixMilli()); err != nil {
		return f, err
	}
	out.UsesLeft, out.Coupons, out.Points = f.usesLeft, len(f.coupons), f.points
	if f.endings, err = passEndings(ctx, s.db, memberID, f.now.UnixMilli()); err != nil {
		return f, err
	}
	return f, s.offers(ctx, memberID, &f)
}

// offers adds what may be proposed.
func (s *Service) offers(ctx context.Context, memberID int64, f *facts) error {
	rate, err := s.settings.Int(ctx, setting.PointsYuanRate)
	if err != nil {
		return err
	}
	share, err := s.settings.Int(ctx, setting.PointsMaxPayBP)
	if err != nil {
		return err
	}
	if rate > 0 && share > 0 {
		f.worth = money.Fen(f.points * 100 / rate)
	}
	mine, err := s.tiers.Of(ctx, memberID)
	if err != nil {
		return err
	}
	if step := tierStep(mine.Next); step != nil {
		f.tierName, f.missing, f.tierNear = step.Name, step.Missing, step.Percent >= 90 && step.Percent < 100
	}
	if s.plans == nil {
		return nil
	}
	plans, err := s.plans.OnSale(ctx, 0)
	if err != nil {
		return err
	}
	washes, err := s.washes(ctx)
	if err != nil {
		return err
	}
	for _, p := range plans {
		if p.Kind != pass.KindTimes || len(p.Lines) != 1 || !anyOf(p.Lines[0].ServiceIDs, washes) {
			continue // only a pass of washes can be compared with washes
		}
		f.plans = append(f.plans, planFact{id: p.ID, name: p.Name, price: p.PriceFen, times: p.Lines[0].Times, validDays: p.ValidDays + p.ValidMonths*30})
	}
	topups, err := s.plans.TopupPlans(ctx, 0)
	for _, t := range topups {
		f.topups = append(f.topups, topupFact{t.ID, t.AmountFen, t.BonusFen})
	}
	return err
}

func anyOf(ids []int64, in map[int64]bool) bool {
	for _, id := range ids {
		if in[id] {
			return true
		}
	}
	return false
}

// washes are the services that wash.
func (s *Service) washes(ctx context.Context) (map[int64]bool, error) {
	ids, err := washServices(ctx, s.db)
	out := map[int64]bool{}
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}
