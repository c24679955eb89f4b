package pricing

import (
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/money"
)

// asked prices exactly what was chosen. Faults: ErrCover, ErrCoupon.
func (s *solver) asked() (plan, error) {
	if err := s.askedCovers(); err != nil {
		return plan{}, err
	}
	chosen := map[int]int{} // coupon → its place in the request
	none := false
	for n, id := range s.in.Choice.Coupons {
		field := fmt.Sprintf("benefits.couponIds[%d]", n)
		i := slices.IndexFunc(s.in.Coupons, func(c Coupon) bool { return c.ID == id })
		if i < 0 {
			return plan{}, ErrCoupon.Say("没有这张优惠券，请重新选择").On(field, "没有这张券")
		}
		c := s.in.Coupons[i]
		if c.Why != "" {
			return plan{}, ErrCoupon.Say("「%s」%s", c.Title, c.Why).On(field, c.Why)
		}
		if _, twice := chosen[i]; twice {
			return plan{}, ErrCoupon.Say("同一张券只能用一次").On(field, "重复")
		}
		if c.Stack == StackNone {
			if none {
				return plan{}, ErrCoupon.Say("「%s」不能与其他同类券一起使用，请只选一张", c.Title).On(field, "只能选一张")
			}
			none = true
		}
		chosen[i] = n
	}
	s.gather(false, func(i int) bool { _, ok := chosen[i]; return ok })
	for g := range s.groups { // which unit a gift takes is free, but it is to be taken
		s.groups[g].none = false
	}
	s.prepare()
	for k := range s.on {
		s.on[k] = true
	}
	left := make([]int64, len(s.groups))
	for g, x := range s.groups {
		left[g] = x.left
	}
	s.limit = maxWork
	s.assign(0, 0, left)
	s.restore(s.best)
	for i, n := range chosen {
		if why := s.idle(i); why != "" {
			return plan{}, ErrCoupon.Say("「%s」%s", s.in.Coupons[i].Title, why).On(fmt.Sprintf("benefits.couponIds[%d]", n), why)
		}
	}
	return s.best, nil
}

// idle says why a chosen coupon does nothing in the best plan, "" when it does something.
func (s *solver) idle(i int) string {
	c := s.in.Coupons[i]
	if c.Kind == CouponService {
		for g, x := range s.groups {
			if n := slices.IndexFunc(x.sources, func(v source) bool { return v.coupon == i }); n >= 0 {
				var used int64
				for _, q := range s.best.cover[g] {
					used += q
				}
				if int64(n) < used {
					return ""
				}
			}
		}
		return "没有适用的项目"
	}
	k := slices.Index(s.lower, i)
	var off money.Fen
	for _, f := range s.best.flow[k] {
		off += f
	}
	if off > 0 {
		return ""
	}
	return s.whyIdle(k)
}

func (s *solver) whyIdle(k int) string {
	base := s.base(k)
	switch c := s.in.Coupons[s.lower[k]]; {
	case base == 0:
		return "没有适用的项目"
	case base < c.ThresholdFen:
		return fmt.Sprintf("还差 %s 才可使用", (c.ThresholdFen - base).Yuan())
	}
	return "这些项目已是最低价，用不上"
}

// askedCovers puts the named covers on the named items. Fault: ErrCover.
func (s *solver) askedCovers() error {
	used := map[int]int64{}
	for n, u := range s.in.Choice.Covers {
		field := fmt.Sprintf("benefits.covers[%d]", n)
		c := slices.IndexFunc(s.in.Covers, func(c Cover) bool { return c.Kind == u.Kind && c.ID == u.ID })
		if c < 0 {
			return ErrCover.Say("没有这项次卡或权益，请重新选择").On(field, "没有这一项")
		}
		cover := s.in.Covers[c]
		if cover.Why != "" {
			return ErrCover.Say("「%s」%s", cover.Title, cover.Why).On(field, cover.Why)
		}
		if u.Item < 0 || u.Item >= len(s.items) || u.Qty <= 0 {
			return ErrCover.On(field+".itemIndex", "没有这个项目")
		}
		it := s.items[u.Item]
		charge := chargeOf(cover, it)
		if charge < 0 {
			return ErrCover.Say("「%s」不包含%s", cover.Title, it.Name).On(field, "不适用于这个项目")
		}
		if used[c] += u.Qty; cover.Left >= 0 && used[c] > cover.Left {
			return ErrCover.Say("「%s」只剩 %d 次", cover.Title, cover.Left).On(field+".qty", "次数不够")
		}
		if s.fixed[u.Item] += u.Qty; s.fixed[u.Item] > it.Qty {
			return ErrCover.Say("%s只有 %d 份，次卡用多了", it.Name, it.Qty).On(field+".qty", "超过数量")
		}
		s.extra[u.Item] += money.Fen(u.Qty) * charge
	}
	return nil
}
