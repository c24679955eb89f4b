package pass

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/fault"
)

func fields(err error) (out []string) {
	var f *fault.Error
	if errors.As(err, &f) {
		for _, x := range f.Fields {
			out = append(out, x.Field)
		}
	}
	return out
}

// Whatever a plan cannot be is said at its field.
func TestPlanIsChecked(t *testing.T) {
	stock := int64(-1)
	good := func() PlanInput {
		return PlanInput{Offer: Offer{Name: "十次卡", Kind: KindTimes, PriceFen: 30000, ValidMonths: 12, Lines: []PlanLine{{ServiceIDs: []int64{1}, Times: 10, ListFen: 4500}}}, OnSale: true}
	}
	if err := func() error { in := good(); return in.check().Err() }(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*PlanInput)
		field  string
	}{
		{"no name", func(in *PlanInput) { in.Name = "  " }, "name"},
		{"a name too long", func(in *PlanInput) { in.Name = strings.Repeat("长", 41) }, "name"},
		{"a control character", func(in *PlanInput) { in.Name = "a\x00" }, "name"},
		{"no such kind", func(in *PlanInput) { in.Kind = "golden" }, "kind"},
		{"a negative price", func(in *PlanInput) { in.PriceFen = -1 }, "priceFen"},
		{"an absurd price", func(in *PlanInput) { in.PriceFen = 1e9 }, "priceFen"},
		{"dearer than one by one", func(in *PlanInput) { in.PriceFen = 45001 }, "priceFen"},
		{"nothing in it", func(in *PlanInput) { in.Lines = nil }, "lines"},
		{"eleven lines", func(in *PlanInput) { in.Lines = slices.Repeat(in.Lines, 11) }, "lines"},
		{"a line of nothing", func(in *PlanInput) { in.Lines[0].ServiceIDs = nil }, "lines[0]"},
		{"a counted pass without a count", func(in *PlanInput) { in.Lines[0].Times = 0 }, "lines[0].times"},
		{"a negative count", func(in *PlanInput) { in.Lines[0].Times = -3 }, "lines[0].times"},
		{"one service in two lines", func(in *PlanInput) { in.Lines = append(in.Lines, in.Lines[0]) }, "lines[1].serviceIds[0]"},
		{"days and months", func(in *PlanInput) { in.ValidDays = 3 }, "validDays"},
		{"a period without one", func(in *PlanInput) { in.Kind, in.ValidMonths = KindPeriod, 0 }, "validMonths"},
		{"unlimited for ever", func(in *PlanInput) {
			in.Kind, in.ValidMonths, in.PerDay, in.Lines[0].Times = KindUnlimited, 0, 1, 0
		}, "validMonths"},
		{"unlimited without a limit a day", func(in *PlanInput) { in.Kind, in.Lines[0].Times = KindUnlimited, 0 }, "perDay"},
		{"unlimited, and counted", func(in *PlanInput) { in.Kind, in.PerDay = KindUnlimited, 1 }, "lines[0].times"},
		{"a recharge of a bundle", func(in *PlanInput) {
			in.Lines, in.Recharge = append(in.Lines, PlanLine{GoodIDs: []int64{1}, Times: 1, ListFen: 1}), &Recharge{Times: 1, PriceFen: 1}
		}, "recharge"},
		{"a recharge of nothing", func(in *PlanInput) { in.Recharge = &Recharge{PriceFen: 1} }, "recharge.times"},
		{"a renewal of for ever", func(in *PlanInput) { in.ValidMonths, in.Renew = 0, &Renew{Months: 1, PriceFen: 1} }, "renew"},
		{"a free renewal", func(in *PlanInput) { in.Renew = &Renew{Months: 1} }, "renew.priceFen"},
		{"no such day", func(in *PlanInput) { in.SaleFrom = "2026-02-30" }, "saleFrom"},
		{"over before it begins", func(in *PlanInput) { in.SaleFrom, in.SaleTo = "2026-12-01", "2026-11-01" }, "saleTo"},
		{"a negative stock", func(in *PlanInput) { in.Stock = &stock }, "stock"},
		{"one store twice", func(in *PlanInput) { in.StoreIDs = []int64{1, 1} }, "storeIds[1]"},
		{"a thousand plates", func(in *PlanInput) { in.Plates = 1000 }, "plates"},
	} {
		in := good()
		c.change(&in)
		err := in.check().Err()
		if !errors.Is(err, fault.ErrInvalid) || !slices.Contains(fields(err), c.field) {
			t.Errorf("%s: %v at %v, want %s", c.name, err, fields(err), c.field)
		}
	}
}

func TestPlanIsOnSale(t *testing.T) {
	stock := int64(5)
	p := Plan{PlanInput: PlanInput{OnSale: true, SaleFrom: "2026-11-10", SaleTo: "2026-11-20", Stock: &stock}, Sold: 4}
	for today, want := range map[string]string{"2026-11-09": "2026-11-10 开始发售", "2026-11-10": "", "2026-11-20": "", "2026-11-21": "已于 2026-11-20 停售"} {
		if got := p.closed(today); got != want {
			t.Errorf("%s: %q, want %q", today, got, want)
		}
	}
	if p.Sold = 5; p.closed("2026-11-15") != "已售完" {
		t.Error("sold out")
	}
	if p.OnSale = false; p.closed("2026-11-15") != "已停售" {
		t.Error("withdrawn")
	}
}
