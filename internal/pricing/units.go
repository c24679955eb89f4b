package pricing

import (
	"slices"

	"github.com/liangche/liangche/internal/money"
)

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

// Pays says whether a cover may pay units of an item, wholly or with an upgrade.
func (c Cover) Pays(it Item) bool { return chargeOf(c, priced{Item: it}) >= 0 }
