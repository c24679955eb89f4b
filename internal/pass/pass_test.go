package pass

import (
	"testing"

	"github.com/liangche/liangche/internal/money"
)

// What a use earns: the line's share each, the last one takes the rest; a bundle's price is spread by what its parts cost one by one.
func TestShareOfAUse(t *testing.T) {
	l := Line{Left: 3, ValueFen: 10000}
	for _, want := range []money.Fen{3333, 3333, 3334} {
		if got := l.earn(1); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	if l.Left != 0 || l.ValueFen != 0 {
		t.Errorf("%+v", l)
	}
	o := Offer{PriceFen: 50000, Lines: []PlanLine{{Times: 10, ListFen: 4500}, {Times: 1, ListFen: 20000}}}
	if s := o.share(); s[0] != 34615 || s[1] != 15385 {
		t.Errorf("%v", s)
	}
}
