package pricing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/money"
)

// floors is the least that may be charged for each item in a plan: covered units cost what they cost.
func (s *solver) floors(p plan) []money.Fen {
	s.restore(p)
	out := make([]money.Fen, len(s.items))
	for i, it := range s.items {
		out[i] = s.covered(p, i) + money.Fen(s.free[i])*it.floor
	}
	return out
}

// covered is what the covered units of an item cost.
func (s *solver) covered(p plan, i int) money.Fen {
	sum := s.extra[i]
	for g, x := range s.groups {
		if n := p.cover[g][i]; n > 0 {
			sum += money.Fen(n) * x.charge[i]
		}
	}
	return sum
}

// result writes a plan in lines.
func (s *solver) result(p plan) Result {
	s.restore(p)
	r := Result{PayableByItem: make([]money.Fen, len(s.items)), ChargedQty: slices.Clone(s.free)}
	for i, it := range s.items {
		list := it.UnitFen * money.Fen(it.Qty)
		r.Lines = append(r.Lines, Line{Kind: it.Kind, ItemID: it.ID, Title: it.Name, Explain: s.explain(it), Qty: it.Qty, UnitPriceFen: it.UnitFen, AmountFen: list})
		r.Subtotal += list
		r.PayableByItem[i] = list
	}
	s.coverLines(&r, p)
	s.tierLines(&r, p)
	s.couponLines(&r, p)
	for _, v := range r.PayableByItem {
		r.Total += v
	}
	s.hints(&r)
	return r
}

func (s *solver) explain(it priced) string {
	if it.Explain != "" {
		return it.Explain
	}
	text := fmt.Sprintf("%s × %d", it.UnitFen.Yuan(), it.Qty)
	if it.Kind == KindService && s.in.VehicleClass != "" {
		text = s.in.VehicleClass + " · " + text
	}
	return text
}

// coverLines names what passes, rights and gifts pay, cover by cover.
func (s *solver) coverLines(r *Result, p plan) {
	for _, u := range s.in.Choice.Covers {
		if s.in.Choice.Auto {
			break
		}
		c := slices.IndexFunc(s.in.Covers, func(c Cover) bool { return c.Kind == u.Kind && c.ID == u.ID })
		s.coverLine(r, s.in.Covers[c], u.Item, u.Qty)
	}
	for g, x := range s.groups {
		sources := slices.Clone(x.sources)
		for i := range s.items {
			for need := p.cover[g][i]; need > 0; {
				at := slices.IndexFunc(sources, func(v source) bool { return v.left > 0 })
				n := min(need, sources[at].left)
				sources[at].left -= n
				need -= n
				if c := sources[at].cover; c >= 0 {
					s.coverLine(r, s.in.Covers[c], i, n)
				} else {
					s.giftLine(r, s.in.Coupons[sources[at].coupon], i)
				}
			}
		}
	}
}

func (s *solver) coverLine(r *Result, c Cover, i int, n int64) {
	it := s.items[i]
	r.Covers = append(r.Covers, CoverUse{c.Kind, c.ID, i, n})
	list := money.Fen(n) * it.UnitFen
	explain := fmt.Sprintf("%s，用 %d 次", it.Name, n)
	left := c.Left
	if c.InAll != 0 {
		left = c.InAll
	}
	if left >= 0 {
		used := n
		for _, u := range r.Covers[:len(r.Covers)-1] {
			if u.Kind == c.Kind && u.ID == c.ID {
				used += u.Qty
			}
		}
		explain += fmt.Sprintf("，剩 %d 次", left-used)
	}
	r.Lines = append(r.Lines, Line{Kind: c.Kind, ItemID: it.ID, Title: c.Title, Explain: explain, Qty: n, UnitPriceFen: -it.UnitFen, AmountFen: -list})
	r.PayableByItem[i] -= list
	r.CoverOff = append(r.CoverOff, list-money.Fen(n)*chargeOf(c, it))
	if charge := chargeOf(c, it); charge > 0 {
		r.Lines = append(r.Lines, Line{Kind: "upgrade", ItemID: it.ID, Title: "升级为" + it.Name, Qty: n, UnitPriceFen: charge, AmountFen: money.Fen(n) * charge,
			Explain: fmt.Sprintf("%s，已含 %s，补差价", it.UnitFen.Yuan(), c.BaseFen.Yuan())})
		r.PayableByItem[i] += money.Fen(n) * charge
	}
}

func (s *solver) giftLine(r *Result, c Coupon, i int) {
	it := s.items[i]
	r.take(c.ID, it.UnitFen)
	r.Lines = append(r.Lines, Line{Kind: "coupon", ItemID: it.ID, Title: c.Title, Explain: "赠送" + it.Name + "一次", Qty: 1, UnitPriceFen: -it.UnitFen, AmountFen: -it.UnitFen})
	r.PayableByItem[i] -= it.UnitFen
}

func (r *Result) take(coupon int64, off money.Fen) {
	r.Coupons = append(r.Coupons, coupon)
	r.CouponOff = append(r.CouponOff, off)
}

// tierLines are the member prices, the tier's discount, the one on everything, and where a floor held.
func (s *solver) tierLines(r *Result, p plan) {
	var off, final money.Fen
	var kinds, bound []string
	for i, it := range s.items {
		n := s.free[i] - p.without[i]
		if n <= 0 {
			continue
		}
		if it.bound {
			bound = append(bound, it.Name)
		}
		each := it.UnitFen - it.member
		r.PayableByItem[i] -= money.Fen(n) * (it.UnitFen - it.unit)
		final += money.Fen(n) * (it.member - it.unit)
		switch {
		case it.fixed && each > 0:
			r.Lines = append(r.Lines, Line{Kind: "member_price", ItemID: it.ID, Title: "会员价", Explain: fmt.Sprintf("%s%s %s", s.in.Tier.Name, it.Name, it.member.Yuan()), Qty: n,
				UnitPriceFen: -each, AmountFen: -each * money.Fen(n)})
		case each > 0:
			off += each * money.Fen(n)
			if text := zhe(s.in.Tier.BP[it.kindKey()]); !slices.Contains(kinds, kindLabel(it.kindKey())+" "+text) {
				kinds = append(kinds, kindLabel(it.kindKey())+" "+text)
			}
		}
	}
	name := s.in.Tier.Name
	line := func(kind, title, explain string, amount money.Fen) {
		r.Lines = append(r.Lines, Line{Kind: kind, Title: title, Explain: explain, Qty: 1, UnitPriceFen: -amount, AmountFen: -amount})
	}
	if off > 0 {
		line("tier_discount", name+"优惠", name+"享 "+together(kinds), off)
	}
	if final > 0 {
		line("final_discount", name+"整单优惠", "整单 "+zhe(s.in.Tier.FinalBP), final)
	}
	if len(bound) > 0 {
		line("floor", "最低折扣", strings.Join(bound, "、")+"已按最低折扣计价", 0)
	}
}

// together writes one rate once when all kinds have it.
func together(kinds []string) string {
	_, first, _ := strings.Cut(kinds[0], " ")
	for _, k := range kinds {
		if _, rate, _ := strings.Cut(k, " "); rate != first {
			return strings.Join(kinds, "、")
		}
	}
	return first
}

func kindLabel(kind string) string {
	switch kind {
	case "wash":
		return "洗车"
	case "detail":
		return "美容"
	case "film":
		return "贴膜"
	case "repair":
		return "维修工时"
	case KindGood:
		return "商品配件"
	}
	return "其他"
}

// zhe writes a rate as people say it: 9500 is "9.5 折".
func zhe(bp money.BP) string {
	s := fmt.Sprintf("%d.%03d", bp/1000, bp%1000)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " 折"
}

func (s *solver) couponLines(r *Result, p plan) {
	for k, ci := range s.lower {
		if p.flow == nil {
			return
		}
		c := s.in.Coupons[ci]
		var off money.Fen
		for pool, v := range p.flow[k] {
			off += v
			r.PayableByItem[pool/2] -= v
		}
		if off == 0 {
			continue
		}
		r.take(c.ID, off)
		r.Lines = append(r.Lines, Line{Kind: "coupon", Title: c.Title, Explain: couponText(c, off), Qty: 1, UnitPriceFen: -off, AmountFen: -off})
	}
}

func couponText(c Coupon, off money.Fen) string {
	var text string
	if c.Kind == CouponPercent {
		text = zhe(c.BP)
		if c.MaxOffFen > 0 {
			text += "，最多减 " + c.MaxOffFen.Yuan()
		}
	} else {
		text = "减 " + c.AmountFen.Yuan()
		if off < c.AmountFen {
			text += "，这次用到 " + off.Yuan()
		}
	}
	if c.ThresholdFen > 0 {
		text = "满 " + c.ThresholdFen.Yuan() + " " + text
	}
	if c.Stack == StackNoTier {
		text += "，不与等级折扣同享"
	}
	return text
}

// hints say why what the member has is not in the price.
func (s *solver) hints(r *Result) {
	for _, c := range s.in.Covers {
		if c.Why != "" {
			r.Unused = append(r.Unused, Hint{c.Kind, c.ID, c.Title, c.Why})
		}
	}
	for i, c := range s.in.Coupons {
		if slices.Contains(r.Coupons, c.ID) {
			continue
		}
		why := c.Why
		if k := slices.Index(s.lower, i); why == "" && k >= 0 {
			why = s.whyIdle(k)
			if why == "这些项目已是最低价，用不上" {
				why = "现在的组合更省"
			}
		}
		if why != "" {
			r.Unused = append(r.Unused, Hint{"coupon", c.ID, c.Title, why})
		}
	}
}
