package report

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/setting"
)

// keepFor is how long a report over everything is shown again before it is computed anew.
const keepFor = 30 * time.Second

const sweepChunk = 1000

// kept remembers one report. Whoever asks while it is computed waits for it, so that it is computed once.
type kept[T any] struct {
	busy chan struct{}
	at   time.Time
	val  T
}

func newKept[T any]() kept[T] { return kept[T]{busy: make(chan struct{}, 1)} }

func (k *kept[T]) get(ctx context.Context, now time.Time, make func(context.Context) (T, error)) (T, error) {
	select {
	case k.busy <- struct{}{}:
		defer func() { <-k.busy }()
	case <-ctx.Done():
		var none T
		return none, fault.ErrUnavailable.With(ctx.Err())
	}
	if age := now.Sub(k.at); !k.at.IsZero() && age >= 0 && age < keepFor {
		return k.val, nil
	}
	v, err := make(ctx)
	if err == nil {
		k.val, k.at = v, now
	}
	return v, err
}

// Liability reads what the business owes its members; it is at most half a minute old (X14).
func (s *Service) Liability(ctx context.Context) (Cockpit, error) {
	return s.cockpit.get(ctx, s.db.Now(), s.readCockpit)
}

func (s *Service) readCockpit(ctx context.Context) (c Cockpit, err error) {
	c.AsOf = s.db.Now()
	held, err := heldByUnit(ctx, s.db)
	if err != nil {
		return c, err
	}
	months, err := ledger.ReadMonths(ctx, s.db)
	if err != nil {
		return c, err
	}
	cost, err := s.settings.Int(ctx, setting.LiabilityPointsFen)
	if err != nil {
		return c, err
	}
	c.PrincipalFen, c.BonusFen = fen(held.Principal), fen(held.Bonus)
	c.PassesFen, c.MembershipsFen = fen(months.Total(ledger.Owed(ledger.Passes))), fen(months.Total(ledger.Owed(ledger.Memberships)))
	c.DepositsFen = fen(months.Total(ledger.Owed(ledger.Deposits)))
	c.Points, c.Uses, c.Members = held.Points, held.Uses, held.Members
	c.PointsFen = pointsCost(c.Points, fen(cost))
	c.CashOwedFen = c.PrincipalFen + c.PassesFen + c.MembershipsFen + c.DepositsFen
	c.TotalFen = c.CashOwedFen + c.BonusFen + c.PointsFen
	c.Months = monthEnds(months, bizday.Of(c.AsOf, bizday.DefaultZone)[:7], monthsShown)
	if err := s.age(ctx, &c); err != nil {
		return c, err
	}
	return c, s.caps(ctx, &c)
}

func (s *Service) age(ctx context.Context, c *Cockpit) error {
	c.Ageing = ageBuckets()
	if err := lotAges(ctx, s.db, c.AsOf, c.Ageing); err != nil {
		return err
	}
	rows, err := passAges(ctx, s.db, c.AsOf)
	for _, r := range rows {
		c.Ageing[r.Bucket].PassesFen = fen(r.Amount)
	}
	return err
}

func (s *Service) caps(ctx context.Context, c *Cockpit) error {
	rows, named, unnamed, err := overCap(ctx, s.db, overShown)
	if err != nil {
		return err
	}
	c.Caps = Caps{NamedFen: namedCap, UnnamedFen: unnamedCap, NamedOver: named, UnnamedOver: unnamed, Items: []OverCap{}}
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.MemberID)
	}
	who, err := s.members.MaskedContacts(ctx, ids)
	for _, r := range rows {
		o := OverCap{MemberID: r.MemberID, Name: who[r.MemberID].Name, PhoneMasked: who[r.MemberID].Phone, CardNo: r.CardNo, Named: r.Named, PrincipalFen: fen(r.Principal), CapFen: namedCap}
		if !r.Named {
			o.CapFen = unnamedCap
		}
		o.OverFen = o.PrincipalFen - o.CapFen
		c.Caps.Items = append(c.Caps.Items, o)
	}
	return err
}

// WindDown computes what would go back to everybody if the business closed today; it is at most half a minute old.
func (s *Service) WindDown(ctx context.Context) (WindDown, error) {
	return s.ending.get(ctx, s.db.Now(), s.readWindDown)
}

func (s *Service) readWindDown(ctx context.Context) (w WindDown, err error) {
	w.AsOf = s.db.Now()
	held, err := heldByUnit(ctx, s.db)
	if err != nil {
		return w, err
	}
	w.BonusFen = fen(held.Bonus)
	var sums backSums
	rows, err := principalBack(ctx, s.db, w.AsOf)
	if err != nil {
		return w, err
	}
	for _, r := range rows {
		at := w.AsOf
		if !r.Fresh {
			at = w.AsOf.Add(-refundWindow)
		}
		tender, byHand := tenderOf(r.Method, at, w.AsOf)
		sums.add("balance", tender, byHand, fen(r.Amount), r.Count)
	}
	for _, read := range s.owed() {
		for after := int64(0); ; {
			parts, last, err := read(ctx, s.db, nil, after, sweepChunk, w.AsOf)
			if err != nil {
				return w, err
			}
			for _, p := range parts {
				sums.add(p.Source, p.Tender, p.ByHand, p.AmountFen, 1)
			}
			if last == 0 {
				break
			}
			after = last
		}
	}
	sums.into(&w)
	if w.Members, err = s.countOwed(ctx); err != nil {
		return w, err
	}
	w.Explain = []string{
		"只退实付的钱：储值退未用的本金，次卡、付费会员退未用的分摊金额，定金退未到店的预约；赠送金与积分不折现。",
		"一年以内的微信付款可以原路退回；更早的和现金、刷卡、支付宝收的，由门店退还。",
		"这是按现在的账目计算的结果，没有发起退款；逐位会员的明细可以导出，再按会员办理。",
	}
	return w, nil
}

func (s *Service) countOwed(ctx context.Context) (n int, err error) {
	for after := int64(0); ; {
		ids, err := owedMembers(ctx, s.db, after, sweepChunk*5)
		if err != nil {
			return n, err
		}
		n += len(ids)
		if len(ids) < sweepChunk*5 {
			return n, nil
		}
		after = ids[len(ids)-1]
	}
}

// WindDownMembers pages what each member would get. Fault: request.invalid.
func (s *Service) WindDownMembers(ctx context.Context, after string, limit int) ([]BackMember, string, error) {
	var from int64
	if after != "" {
		var err error
		if from, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", fault.ErrInvalid.On("after", "翻页位置无效，请回到第一页")
		}
	}
	ids, err := owedMembers(ctx, s.db, from, limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(ids) > limit {
		ids = ids[:limit]
		next = strconv.FormatInt(ids[limit-1], 10)
	}
	parts, err := s.partsOf(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	who, err := s.members.MaskedContacts(ctx, ids)
	out := make([]BackMember, 0, len(ids))
	for _, id := range ids {
		m := ofMember(id, slices.DeleteFunc(slices.Clone(parts), func(p BackPart) bool { return p.memberID != id }))
		m.Name, m.PhoneMasked = nameOf(who[id]), who[id].Phone
		out = append(out, m)
	}
	return out, next, err
}

func nameOf(c member.Contact) string {
	if c.Name == "" {
		return "（已注销）"
	}
	return c.Name
}

func (s *Service) partsOf(ctx context.Context, ids []int64) ([]BackPart, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	now := s.db.Now()
	parts, err := principalParts(ctx, s.db, ids, now)
	if err != nil {
		return nil, err
	}
	for _, read := range s.owed() {
		more, _, err := read(ctx, s.db, ids, 0, 0, now)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more...)
	}
	return parts, nil
}
