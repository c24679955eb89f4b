package pass_test

import (
	"testing"
	"time"

	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
)

// Many passes end in one night, several of them one member's: each as if it had ended alone, with its own posting. What was extended is left alone; what
// the end took comes back whole, and ends again.
func TestManyPassesEndTogether(t *testing.T) {
	r := newRig(t)
	plan := r.plan(r.tenWash(thirtyDays))
	var all []pass.Pass
	for i, name := range []string{"张三", "李四", "王五"} {
		m := r.Member(name, "1390000000"+string(rune('1'+i)), "浙A1234"+string(rune('1'+i)))
		for range 3 {
			all = append(all, r.sell(plan, m, sale.MethodCash, ""))
		}
	}
	_, err := r.use(all[0], 3)
	must(t, err)
	_, err = r.use(all[1], 10)
	must(t, err)
	_, err = r.Extend(r.Ctx(), all[8].ID, 10, "顾客出差")
	must(t, err)
	r.passes(31 * 24 * time.Hour)
	for i, p := range all {
		switch i {
		case 1:
			r.want(p, pass.StateUsed, 0, 0)
		case 8:
			r.want(p, pass.StateActive, 10, 30000)
		default:
			r.want(p, pass.StateExpired, 0, 0)
			got := r.get(p)
			if got.EndPosting == 0 || got.EndedAt.IsZero() || got.LostFen != map[bool]money.Fen{true: 21000, false: 30000}[i == 0] {
				t.Errorf("%d: %+v", i, got)
			}
		}
	}
	if got := r.get(all[0]).Lines[0]; got.Lost != 7 || got.LostFen != 21000 {
		t.Errorf("%+v", got)
	}
	r.exact()
	_, err = r.Extend(r.Ctx(), all[0].ID, 5, "下雨") // what the end took comes back whole
	must(t, err)
	r.want(all[0], pass.StateActive, 7, 21000)
	r.passes(12 * 24 * time.Hour)
	r.want(all[0], pass.StateExpired, 0, 0)
	r.want(all[8], pass.StateExpired, 0, 0)
	r.exact()
}
