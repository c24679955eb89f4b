package booking

import (
	"context"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/tier"
)

// The estimate is the till's own price: with discounts by kind and the tier's member prices.
func TestEstimateHasTheTiersPrices(t *testing.T) {
	r := newRig(t, 2, 3)
	plain, gold := r.owner(), r.owner()
	must(t, r.db.InTx(r.staff(), func(ctx context.Context, tx *dbTx) error {
		return r.tiers.SetMemberTierTx(ctx, tx, gold.id, r.priority, "老客户")
	}))
	_, err := r.tiers.Update(r.staff(), r.priority, tier.Input{Name: "黑金", Color: "#222222", Rank: 9, DiscountBP: 9000, Programme: &tier.Programme{
		MemberPrices: []tier.MemberPrice{{ServiceID: r.wash, VehicleClassID: r.class, PriceFen: 3000}}, Discounts: []tier.Discount{{Kind: "detail", BP: 8000}}}})
	must(t, err)
	r.clk.Advance(3 * time.Second) // copies are two seconds old at most
	for i, c := range []struct {
		who     owner
		service int64
		want    int64
	}{{plain, r.wash, 4500}, {gold, r.wash, 3000}, {gold, r.detail, 21440}} {
		b, err := c.who.create(r.at(3+i, 10, 0), c.service)
		must(t, err)
		if int64(b.PriceFen) != c.want {
			t.Errorf("estimate %d, want %d", b.PriceFen, c.want)
		}
	}
	r.sound()
}
