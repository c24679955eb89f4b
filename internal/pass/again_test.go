package pass_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
)

// What was computed for a refund can be read and printed again, as it was, whatever the clock and the question say.
func TestARefundIsPrintedAgain(t *testing.T) {
	r := newRig(t)
	m := r.Member("车主", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	_, err := r.use(p, 3)
	must(t, err)
	r.Clock.Advance(30 * 24 * time.Hour)
	did := r.refund(p, pass.FaultShop)
	r.Clock.Advance(90 * 24 * time.Hour)
	for _, whose := range []string{pass.FaultShop, pass.FaultCustomer} {
		got, err := r.RefundPlanFor(t.Context(), m, p.ID, whose)
		must(t, err)
		if got.RefundFen != did.RefundFen || got.Fault != pass.FaultShop || !got.At.Equal(did.At) || got.PlanHash != did.PlanHash || !reflect.DeepEqual(got.Explain, did.Explain) ||
			!reflect.DeepEqual(got.Lines, did.Lines) || len(got.Parts) != 1 {
			t.Errorf("asked for %s: %+v, want %+v", whose, got, did)
		}
		if _, err := r.Service.Refund(r.Ctx(), p.ID, r.West, whose, "再退一次", got.PlanHash); !errors.Is(err, pass.ErrState) {
			t.Errorf("a second refund: %v", err)
		}
	}
	if _, err := r.RefundPlanFor(t.Context(), m+1, p.ID, pass.FaultShop); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	r.exact()
}
