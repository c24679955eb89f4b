package tier

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

func TestMemberIsInDefaultTierUntilAssigned(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	ctx := actor.With(t.Context(), apitest.Staff())
	if _, err := s.OfMember(ctx, d, 5); !errors.Is(err, errNoDefault) {
		t.Error(err)
	}
	for range 2 {
		if err := s.EnsureDefault(ctx); err != nil {
			t.Fatal(err)
		}
	}
	def, err := s.OfMember(ctx, d, 5)
	if err != nil || def.Name != "普通会员" || def.DiscountBP != money.Whole || !def.IsDefault {
		t.Fatalf("%+v %v", def, err)
	}
	gold, err := s.Create(ctx, Input{Name: "金卡", Color: "#c9a227", Rank: 2, DiscountBP: 9500})
	if err != nil {
		t.Fatal(err)
	}
	set := func(member, tier int64, reason string) error {
		return d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.SetMemberTierTx(ctx, tx, member, tier, reason) })
	}
	for reason, want := range map[string]error{"": ErrReason, "  ": ErrReason, strings.Repeat("因", 201): ErrReason} {
		if err := set(5, gold.ID, reason); !errors.Is(err, want) {
			t.Errorf("reason %q: %v", reason, err)
		}
	}
	if err := set(5, 404, "老客户"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := set(5, gold.ID, "老客户"); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.OfMember(ctx, d, 5); got.ID != gold.ID || got.Color != "#C9A227" {
		t.Errorf("assigned %+v", got)
	}
	if got, _ := s.OfMember(ctx, d, 6); got.ID != def.ID {
		t.Errorf("others stay: %+v", got)
	}
	var entries int
	if err := d.Get(ctx, &entries, `SELECT COUNT(*) FROM audit_log WHERE action = 'member.tier'`); err != nil || entries != 1 {
		t.Errorf("%d audit entries, %v", entries, err)
	}
	if err := set(5, def.ID, "误操作"); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.OfMember(ctx, d, 5); got.ID != def.ID {
		t.Errorf("assigned back %+v", got)
	}
}

func TestExactlyOneDefaultTierUnderConcurrency(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := New(d).EnsureDefault(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var ids []int64
	for i := range 4 {
		v, err := s.Create(t.Context(), Input{Name: fmt.Sprint("级", i), Color: "#000000", DiscountBP: 9000})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	for i, id := range ids {
		wg.Go(func() {
			_, err := s.Update(t.Context(), id, Input{Name: fmt.Sprint("级", i), Color: "#000000", DiscountBP: 9000, IsDefault: true})
			// A tier that another one overtook may be left as it is; it must never be a second default.
			if err != nil && !errors.Is(err, ErrDefault) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var n int
	if err := d.Get(t.Context(), &n, `SELECT COUNT(*) FROM tier_tiers WHERE default_mark IS NOT NULL`); err != nil || n != 1 {
		t.Errorf("%d default tiers, %v", n, err)
	}
}

func TestTiersOverHTTP(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	if err := s.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	base := apitest.New(t, s.Routes)
	c := base.As(apitest.Staff(perm.CatalogRead, perm.TierWrite))
	var gold Tier
	c.OK(http.MethodPost, "/api/console/tiers", Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9500}, &gold)
	c.Fault(ErrName, http.MethodPost, "/api/console/tiers", Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9500})
	for _, in := range []Input{
		{Name: "", Color: "#C9A227", DiscountBP: 9500}, {Name: "a", Color: "gold", DiscountBP: 9500},
		{Name: "a", Color: "#C9A227", DiscountBP: 0}, {Name: "a", Color: "#C9A227", DiscountBP: 10001},
		{Name: "a", Color: "#C9A227", DiscountBP: 9500, Rank: -1},
	} {
		c.Fault(fault.ErrInvalid, http.MethodPost, "/api/console/tiers", in)
	}
	var page httpapi.Page[Tier]
	c.OK(http.MethodGet, "/api/console/tiers", nil, &page)
	if len(page.Items) != 2 || !page.Items[0].IsDefault || page.Items[1].ID != gold.ID {
		t.Fatalf("%+v", page.Items)
	}
	def := page.Items[0]
	c.Fault(ErrDefault, http.MethodPut, fmt.Sprint("/api/console/tiers/", def.ID), Input{Name: def.Name, Color: def.Color, DiscountBP: 10000})
	c.OK(http.MethodPut, fmt.Sprint("/api/console/tiers/", gold.ID), Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9000, IsDefault: true}, &gold)
	c.OK(http.MethodGet, "/api/console/tiers", nil, &page)
	if page.Items[0].IsDefault || !page.Items[1].IsDefault || page.Items[1].DiscountBP != 9000 {
		t.Errorf("%+v", page.Items)
	}
	c.Fault(fault.ErrNotFound, http.MethodPut, "/api/console/tiers/9", Input{Name: "x", Color: "#C9A227", DiscountBP: 1})
	base.As(apitest.Staff(perm.CatalogRead)).Fault(fault.ErrForbidden, http.MethodPost, "/api/console/tiers", Input{Name: "x", Color: "#C9A227", DiscountBP: 1})
}
