package pass_test

import (
	"context"
	"errors"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
)

// Staff of one store do not touch a pass that is bound to another; one that is good everywhere is everybody's.
func TestStaffChangePassesOfTheirStores(t *testing.T) {
	r := newRig(t)
	m := r.Member("车主", "13900000001", "浙A12345")
	bound := r.sell(r.plan(r.tenWash(func(p *pass.PlanInput) { p.StoreIDs, p.Plates = []int64{r.West}, 2 })), m, sale.MethodCash, "浙A12345")
	free := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	in := func(stores ...int64) context.Context {
		return actor.With(r.t.Context(), actor.Actor{Kind: actor.Staff, ID: 9, Name: "小王", Stores: stores})
	}
	for name, do := range map[string]func(ctx context.Context, id int64) error{
		"extend": func(ctx context.Context, id int64) error { _, err := r.Extend(ctx, id, 3, "顾客出差"); return err },
		"pause":  func(ctx context.Context, id int64) error { _, err := r.Pause(ctx, 0, id, "顾客出差"); return err },
		"resume": func(ctx context.Context, id int64) error { _, err := r.Resume(ctx, 0, id); return err },
		"plate":  func(ctx context.Context, id int64) error { _, err := r.Plate(ctx, 0, id, "浙A54321", ""); return err },
	} {
		if err := do(in(r.West+1), bound.ID); !errors.Is(err, fault.ErrStore) {
			t.Errorf("%s in another store: %v", name, err)
		}
	}
	must(t, func() error { _, err := r.Plate(in(r.West), 0, bound.ID, "浙A54321", ""); return err }())
	must(t, func() error { _, err := r.Extend(in(r.West+1, r.West), bound.ID, 3, "顾客出差"); return err }())
	must(t, func() error { _, err := r.Extend(in(r.West+1), free.ID, 3, "顾客出差"); return err }())
	must(t, func() error { _, err := r.Pause(r.owner(m), m, bound.ID, ""); return err }())
	r.exact()
}
