package pricing

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/money"
)

// maxWork bounds the search, in steps of some nanoseconds. Bills that people have end long before; one with very many ways to pay it gets the best
// of the first ones, which begin with the greediest.
const maxWork = 200_000

// unlimited stands for a cover without a number of uses.
const unlimited = int64(1) << 40

// priced is an item with what one unit of it costs.
type priced struct {
	Item
	floor  money.Fen // of a unit
	member money.Fen // unit after the tier's own discount or the member price
	unit   money.Fen // unit before coupons
	fixed  bool      // by the member price
	bound  bool      // the floor held
}

// source is one cover, or a coupon that gives a unit.
type source struct {
	cover  int // index in Input.Covers, or -1
	coupon int // index in Input.Coupons, or -1
	left   int64
}

// group is sources with the same effect, the one that ends first first.
type group struct {
	kind    string      // right, coupon, pass
	charge  []money.Fen // by item: what a unit costs with it; -1 not for this item
	sources []source
	left    int64
	none    bool // of coupons that are alone of their sort
}

// plan is one way to pay a bill.
type plan struct {
	total    money.Fen
	passes   int64 // uses of passes
	gifts    int64 // coupons that give a unit
	taken    money.Fen
	rights   int64
	cover    [][]int64 // by group and item
	without  []int64   // by item: units that are charged without the tier's discount
	flow     [][]money.Fen
	decided  bool
	useCoups []bool
}

// better orders plans: cheaper first, then the one that uses up less of what is worth most.
func (p plan) better(q plan) bool {
	if !q.decided {
		return true
	}
	return cmp.Or(cmp.Compare(p.total, q.total), cmp.Compare(p.passes, q.passes), cmp.Compare(p.gifts, q.gifts), cmp.Compare(p.taken, q.taken),
		cmp.Compare(p.rights, q.rights)) < 0
}

type solver struct {
	in     Input
	items  []priced
	fixed  []int64 // units by item that asked covers pay
	extra  []money.Fen
	groups []group
	lower  []int // indexes of coupons that take an amount or a share off
	match  [][]bool
	best   plan
	work   int // done in this branch
	limit  int // of a branch

	cover   [][]int64
	free    []int64 // units by item that no cover pays
	without []int64
	on      []bool // by lower: may be used in this branch
	net     network
}

func newSolver(in Input) *solver {
	s := &solver{in: in, fixed: make([]int64, len(in.Items)), extra: make([]money.Fen, len(in.Items))}
	for _, it := range in.Items {
		s.items = append(s.items, priceUnit(it, in.Tier))
	}
	return s
}

// priceUnit is what a unit costs a member: the better of tier discount and member price, then the discount on everything, never below the floor.
func priceUnit(it Item, t Tier) priced {
	p := priced{Item: it, floor: min(it.MinPriceBP.Ceil(it.UnitFen), it.UnitFen)}
	share := func(bp money.BP, of money.Fen) money.Fen {
		if bp <= 0 || bp >= money.Whole {
			return of
		}
		return bp.Round(of)
	}
	want := share(t.BP[it.kindKey()], it.UnitFen)
	if it.FixedFen > 0 && it.FixedFen < want {
		want, p.fixed = it.FixedFen, true
	}
	p.bound = want < p.floor
	p.member = max(want, p.floor)
	last := share(t.FinalBP, p.member)
	p.bound = p.bound || last < p.floor
	p.unit = max(last, p.floor)
	return p
}

// chargeOf is what a unit of an item costs when a cover pays it; -1 when it does not.
func chargeOf(c Cover, it priced) money.Fen {
	ids := c.ServiceIDs
	if it.Kind == KindGood {
		ids = c.GoodIDs
	}
	switch {
	case slices.Contains(ids, it.ID):
		return 0
	case c.Upgrade && it.Kind == KindService && slices.Contains(c.UpgradeKinds, it.ServiceKind):
		return max(it.UnitFen-c.BaseFen, 0)
	}
	return -1
}

// eligible says whether a coupon may lower an item.
func eligible(c Coupon, it priced) bool {
	if len(c.Kinds) == 0 && len(c.ServiceIDs) == 0 && len(c.GoodIDs) == 0 {
		return c.Kind != CouponService
	}
	if it.Kind == KindGood {
		return slices.Contains(c.GoodIDs, it.ID) || slices.Contains(c.Kinds, KindGood)
	}
	return slices.Contains(c.ServiceIDs, it.ID) || slices.Contains(c.Kinds, it.ServiceKind)
}

func expiry(at int64) int64 {
	if at == 0 {
		return 1<<63 - 1
	}
	return at
}

// gather makes groups of the covers and coupons that may be used.
func (s *solver) gather(covers bool, coupon func(i int) bool) {
	type candidate struct {
		group
		expires, id int64
	}
	var all []candidate
	add := func(kind string, left int64, src source, expires, id int64, none bool, charge func(priced) money.Fen) {
		c := candidate{group{kind: kind, left: left, sources: []source{src}, none: none}, expiry(expires), id}
		some := false
		for _, it := range s.items {
			v := charge(it)
			if v >= it.unit { // it would save nothing
				v = -1
			}
			c.charge, some = append(c.charge, v), some || v >= 0
		}
		if some && left != 0 {
			all = append(all, c)
		}
	}
	for i, c := range s.in.Covers {
		if covers && c.Why == "" {
			left := c.Left
			if left < 0 {
				left = unlimited
			}
			add(c.Kind, left, source{i, -1, left}, c.ExpiresAt, c.ID, false, func(it priced) money.Fen { return chargeOf(c, it) })
		}
	}
	for i, c := range s.in.Coupons {
		if c.Why != "" || !coupon(i) {
			continue
		}
		if c.Kind != CouponService {
			s.lower = append(s.lower, i)
			continue
		}
		add("coupon", 1, source{-1, i, 1}, c.ExpiresAt, c.ID, c.Stack == StackNone, func(it priced) money.Fen {
			if eligible(c, it) {
				return 0
			}
			return -1
		})
	}
	rank := map[string]int{CoverRight: 0, "coupon": 1, CoverPass: 2}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(rank[a.kind], rank[b.kind]), cmp.Compare(a.expires, b.expires), cmp.Compare(a.id, b.id))
	})
next:
	for _, c := range all {
		for i := range s.groups {
			if g := &s.groups[i]; g.kind == c.kind && g.none == c.none && slices.Equal(g.charge, c.charge) {
				g.sources = append(g.sources, c.sources[0])
				g.left = min(g.left+c.left, unlimited)
				continue next
			}
		}
		s.groups = append(s.groups, c.group)
	}
	slices.SortStableFunc(s.lower, func(a, b int) int {
		x, y := s.in.Coupons[a], s.in.Coupons[b]
		return cmp.Or(cmp.Compare(expiry(x.ExpiresAt), expiry(y.ExpiresAt)), cmp.Compare(x.ID, y.ID))
	})
	for _, i := range s.lower {
		row := make([]bool, len(s.items))
		for k, it := range s.items {
			row[k] = eligible(s.in.Coupons[i], it)
		}
		s.match = append(s.match, row)
	}
}

// prepare makes the working copies of a search.
func (s *solver) prepare() {
	s.cover = make([][]int64, len(s.groups))
	for g := range s.groups {
		s.cover[g] = make([]int64, len(s.items))
	}
	s.free, s.without, s.on = make([]int64, len(s.items)), make([]int64, len(s.items)), make([]bool, len(s.lower))
	for i, it := range s.items {
		s.free[i] = it.Qty - s.fixed[i]
	}
	s.net.init(len(s.lower), 2*len(s.items))
}

// search finds the cheapest plan.
func (s *solver) search() plan {
	s.gather(true, func(int) bool { return true })
	s.prepare()
	s.branches()
	s.prune()
	return s.best
}

// branches tries, one after the other, each coupon that is alone of its sort, and none of them; the others may always be used.
func (s *solver) branches() {
	alone := []int{-1}
	for k, i := range s.lower {
		if s.in.Coupons[i].Stack == StackNone {
			alone = append(alone, k)
		}
	}
	left := make([]int64, len(s.groups))
	giftAlone := []int{-1}
	for g, x := range s.groups {
		if x.none {
			giftAlone = append(giftAlone, g)
		}
	}
	try := func(coupon, gift int) {
		for k, i := range s.lower {
			s.on[k] = k == coupon || s.in.Coupons[i].Stack != StackNone
		}
		for g, x := range s.groups {
			left[g] = x.left
			if x.none {
				left[g] = 0
				if g == gift {
					left[g] = 1
				}
			}
		}
		s.work = 0
		s.assign(0, 0, left)
	}
	s.limit = maxWork / (len(alone) + len(giftAlone))
	for _, g := range giftAlone[1:] {
		try(-1, g)
	}
	for _, k := range alone[1:] {
		try(k, -1)
	}
	try(-1, -1)
}

// assign decides how many units of item i group g pays, most first, then goes on with the next group and item.
func (s *solver) assign(i, g int, left []int64) {
	if s.work > s.limit || (s.best.decided && s.best.total == 0 && s.best.passes == 0 && s.best.gifts == 0 && s.best.taken == 0 && s.best.rights == 0) {
		return
	}
	s.work++
	if i == len(s.items) {
		s.choose(0)
		return
	}
	if g == len(s.groups) {
		s.assign(i+1, 0, left)
		return
	}
	most := int64(0)
	if s.groups[g].charge[i] >= 0 {
		most = min(s.free[i], left[g])
	}
	for n := most; n >= 0; n-- {
		s.cover[g][i], s.free[i], left[g] = n, s.free[i]-n, left[g]-n
		s.assign(i, g+1, left)
		s.cover[g][i], s.free[i], left[g] = 0, s.free[i]+n, left[g]+n
	}
}

// choose decides which units are charged without the tier's discount, for the coupons that ask for it.
func (s *solver) choose(i int) {
	if s.work > s.limit {
		return
	}
	if i == len(s.items) {
		s.leaf()
		return
	}
	most := int64(0)
	if s.items[i].unit < s.items[i].UnitFen {
		for k, c := range s.lower {
			if s.on[k] && s.match[k][i] && s.in.Coupons[c].Stack == StackNoTier {
				most = s.free[i]
			}
		}
	}
	for n := int64(0); n <= most; n++ {
		s.without[i] = n
		s.choose(i + 1)
	}
	s.without[i] = 0
}

// leaf prices one complete choice.
func (s *solver) leaf() {
	s.work += 4
	p := plan{decided: true}
	var floors money.Fen
	for i, it := range s.items {
		p.total += s.extra[i] + money.Fen(s.free[i]-s.without[i])*it.unit + money.Fen(s.without[i])*it.UnitFen
		floors += money.Fen(s.free[i]) * it.floor
	}
	free := p.total
	for g, x := range s.groups {
		for i, n := range s.cover[g] {
			if n == 0 {
				continue
			}
			p.total += money.Fen(n) * x.charge[i]
			switch x.kind {
			case CoverPass:
				p.passes += n
			case CoverRight:
				p.rights += n
			default:
				p.gifts += n
			}
		}
	}
	if len(s.lower) > 0 {
		if most := min(free-floors, s.most()); s.best.decided && p.total-most > s.best.total {
			return // not even the best of coupons would do
		}
		s.work += 8 * len(s.lower) * len(s.items)
		p.taken = s.lowered(s.on)
		p.total -= p.taken
	}
	if !p.better(s.best) {
		return
	}
	p.without = slices.Clone(s.without)
	for _, row := range s.cover {
		p.cover = append(p.cover, slices.Clone(row))
	}
	p.useCoups = slices.Clone(s.on)
	if len(s.lower) > 0 {
		p.flow = s.net.copyFlow()
	}
	s.best = p
}

// most is the most that the coupons which are on could take off.
func (s *solver) most() (sum money.Fen) {
	for k, ci := range s.lower {
		if !s.on[k] {
			continue
		}
		switch c := s.in.Coupons[ci]; {
		case c.Kind != CouponPercent:
			sum += c.AmountFen
		case c.MaxOffFen > 0:
			sum += c.MaxOffFen
		default:
			return money.MaxFen
		}
	}
	return sum
}

// base is the list price of the units that a coupon may lower and that nothing covers.
func (s *solver) base(k int) (sum money.Fen) {
	for i, it := range s.items {
		if s.match[k][i] {
			sum += money.Fen(s.free[i]) * it.UnitFen
		}
	}
	return sum
}

// lowered is the most that the coupons which are on take off: a flow from coupons to what is above the floors. Each item has two pools: units with the
// tier's discount, and units without it (those whose price the tier does not change are in both senses the second).
func (s *solver) lowered(on []bool) money.Fen {
	s.net.reset()
	for i, it := range s.items {
		with, without := s.free[i]-s.without[i], s.without[i]
		s.net.sink[2*i] = money.Fen(with) * (it.unit - it.floor)
		s.net.sink[2*i+1] = money.Fen(without) * (it.UnitFen - it.floor)
	}
	for k, ci := range s.lower {
		c := s.in.Coupons[ci]
		if !on[k] || s.base(k) < c.ThresholdFen {
			continue
		}
		s.net.source[k] = c.AmountFen
		if c.Kind == CouponPercent {
			s.net.source[k] = c.MaxOffFen
			if c.MaxOffFen == 0 {
				s.net.source[k] = money.MaxFen
			}
		}
		for i, it := range s.items {
			if !s.match[k][i] {
				continue
			}
			with, without := s.net.sink[2*i], s.net.sink[2*i+1]
			if c.Kind == CouponPercent {
				bp := min(max(c.BP, 0), money.Whole)
				with = min(with, money.Fen(s.free[i]-s.without[i])*(it.unit-bp.Round(it.unit)))
				without = min(without, money.Fen(s.without[i])*(it.UnitFen-bp.Round(it.UnitFen)))
			}
			if c.Stack == StackNoTier && it.unit < it.UnitFen {
				with = 0
			}
			s.net.edge[k][2*i], s.net.edge[k][2*i+1] = with, without
		}
	}
	return s.net.max()
}

// prune drops coupons without which the price stays: the one that ends last first.
func (s *solver) prune() {
	p := &s.best
	if len(s.lower) == 0 || !p.decided {
		return
	}
	s.restore(*p)
	for k := len(s.lower) - 1; k >= 0; k-- {
		if !p.useCoups[k] {
			continue
		}
		p.useCoups[k] = false
		if s.lowered(p.useCoups) < p.taken {
			p.useCoups[k] = true
		}
	}
	s.lowered(p.useCoups)
	p.flow = s.net.copyFlow()
}

// restore sets the working copies to a plan's.
func (s *solver) restore(p plan) {
	for i, it := range s.items {
		s.free[i], s.without[i] = it.Qty-s.fixed[i], p.without[i]
		for g := range s.groups {
			s.free[i] -= p.cover[g][i]
		}
	}
}

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

// Pays says whether a cover may pay units of an item, wholly or with an upgrade.
func (c Cover) Pays(it Item) bool { return chargeOf(c, priced{Item: it}) >= 0 }
