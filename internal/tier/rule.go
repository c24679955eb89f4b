package tier

import (
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// kinds are what can be measured: its name, and the most that makes sense.
var kinds = map[string]struct {
	label string
	most  int64
}{
	SpendYear:  {"近 12 个月消费", 100_000_000_00},
	SpendLife:  {"累计消费", 100_000_000_00},
	VisitsYear: {"近 12 个月到店", 365},
	VisitsLife: {"累计到店", 100_000},
	Experience: {"成长值", 1_000_000_000},
	CarMonths:  {"车龄", 600},
	CarKm:      {"里程", 5_000_000},
}

// amount writes a value as people read it.
func amount(kind string, n int64) string {
	switch kind {
	case SpendYear, SpendLife:
		return money.Fen(n).Yuan()
	case VisitsYear, VisitsLife:
		return fmt.Sprintf("%d 次", n)
	case CarMonths:
		return fmt.Sprintf("%d 个月", n)
	case CarKm:
		return fmt.Sprintf("%d 公里", n)
	}
	return fmt.Sprint(n)
}

// Say writes a measure as the owner reads it.
func (m Measure) Say() string { return kinds[m.Kind].label + "满 " + amount(m.Kind, m.AtLeast) }

func (r Rule) check(c *fault.Complaints) {
	if r.Match != MatchAny && r.Match != MatchAll {
		c.Bad("programme.rule.match", "请选择满足任一条件或全部条件")
	}
	if len(r.Measures) == 0 {
		c.Bad("programme.rule.measures", "请至少填写一个条件")
	}
	seen := map[string]bool{}
	for i, m := range r.Measures {
		field := fmt.Sprintf("programme.rule.measures[%d]", i)
		k, ok := kinds[m.Kind]
		switch {
		case !ok:
			c.Bad(field+".kind", "请选择条件")
			continue
		case seen[m.Kind]:
			c.Bad(field+".kind", "「"+k.label+"」写了两次，请合并")
		case m.AtLeast <= 0:
			c.Bad(field+".atLeast", "应大于 0，否则人人都会升级")
		case m.AtLeast > k.most:
			c.Bad(field+".atLeast", "最多 "+amount(m.Kind, k.most)+"，再高没有人能达到")
		}
		seen[m.Kind] = true
	}
}

// of is the threshold of a kind, 0 when it is not measured.
func (r *Rule) of(kind string) int64 {
	if r == nil {
		return 0
	}
	for _, m := range r.Measures {
		if m.Kind == kind {
			return m.AtLeast
		}
	}
	return 0
}

func (r *Rule) same(o *Rule) bool {
	if r == nil || o == nil || (r.Match != o.Match && len(r.Measures) > 1) || len(r.Measures) != len(o.Measures) {
		return false
	}
	return !slices.ContainsFunc(r.Measures, func(m Measure) bool { return o.of(m.Kind) != m.AtLeast })
}

// alone says whether one measure is enough.
func (r *Rule) alone() bool { return r.Match == MatchAny || len(r.Measures) == 1 }

// amongOthers says at its field where a tier's rule contradicts those of the others: all is every tier with the one that is judged, at.
func amongOthers(all []Full, at Full) error {
	var c fault.Complaints
	r := at.Programme.Rule
	if r == nil {
		return nil
	}
	for _, o := range all {
		switch {
		case o.ID == at.ID:
			continue
		case o.IsDefault && o.Rank >= at.Rank:
			c.Bad("rank", "级别要高于默认等级「"+o.Name+"」，否则升不上来")
			continue
		case o.Programme.Rule == nil:
			continue
		case o.Rank == at.Rank:
			c.Bad("rank", fmt.Sprintf("「%s」也是第 %d 级，请改成不同的级别", o.Name, o.Rank))
			continue
		case r.same(o.Programme.Rule):
			c.Bad("programme.rule.measures", "条件与「"+o.Name+"」完全相同，分不出谁该在哪一级")
			continue
		}
		for i, m := range r.Measures {
			other := o.Programme.Rule.of(m.Kind)
			field := fmt.Sprintf("programme.rule.measures[%d].atLeast", i)
			switch {
			case other == 0:
			case o.Rank < at.Rank && m.AtLeast < other:
				c.Bad(field, fmt.Sprintf("比更低的「%s」还低，它要 %s；请填得更高", o.Name, amount(m.Kind, other)))
			case o.Rank < at.Rank && m.AtLeast == other && r.alone(), o.Rank > at.Rank && m.AtLeast == other && o.Programme.Rule.alone():
				c.Bad(field, "与「"+o.Name+"」同样是 "+amount(m.Kind, other)+"，两级重叠；请拉开距离")
			case o.Rank > at.Rank && m.AtLeast > other:
				c.Bad(field, fmt.Sprintf("比更高的「%s」还高，它只要 %s；请填得更低", o.Name, amount(m.Kind, other)))
			}
		}
	}
	return c.First()
}
