package pricing

import (
	"cmp"
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
