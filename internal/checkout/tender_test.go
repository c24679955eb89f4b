package checkout

import (
	"errors"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

func blames(err error, message string) bool {
	f := fault.As(err)
	for _, x := range f.Fields {
		if x.Message == message {
			return true
		}
	}
	return false
}

func TestCheckTenders(t *testing.T) {
	cash := func(fen, received money.Fen) Tender {
		return Tender{Kind: TenderCash, AmountFen: fen, ReceivedFen: received}
	}
	of := func(kind string, fen money.Fen) Tender {
		return Tender{Kind: kind, AmountFen: fen, Reference: "000123"}
	}
	for _, c := range []struct {
		name    string
		tenders []Tender
		member  bool
		want    error
	}{
		{"one", []Tender{cash(3500, 0)}, false, nil},
		{"cash with change", []Tender{cash(3500, 5000)}, false, nil},
		{"cash exactly", []Tender{cash(3500, 3500)}, false, nil},
		{"cash too little", []Tender{cash(3500, 3499)}, false, ErrCashShort},
		{"all kinds", []Tender{of(TenderBalance, 500), cash(1000, 0), of(TenderCard, 1000), of(TenderAlipay, 500), of(TenderNative, 500)}, true, nil},
		{"too little", []Tender{cash(3499, 0)}, false, ErrTenders},
		{"too much", []Tender{cash(3501, 0)}, false, ErrTenders},
		{"nothing", nil, false, ErrTenders},
		{"amount 0", []Tender{cash(3500, 0), of(TenderCard, 0)}, false, ErrTenders},
		{"negative", []Tender{cash(4500, 0), of(TenderCard, -1000)}, false, ErrTenders},
		{"the same kind twice", []Tender{cash(1500, 0), cash(2000, 0)}, false, ErrTenders},
		{"stored value of a walk-in", []Tender{of(TenderBalance, 3500)}, false, ErrWalkIn},
		{"card without a reference", []Tender{{Kind: TenderCard, AmountFen: 3500}}, false, ErrReference},
		{"Alipay with a blank one", []Tender{{Kind: TenderAlipay, AmountFen: 3500, Reference: "  "}}, false, ErrReference},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := checkTenders(3500, c.tenders, c.member); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if err := checkTenders(0, nil, false); err != nil {
		t.Errorf("a gift needs no tender: %v", err)
	}
}

func TestSuggestPaysExactly(t *testing.T) {
	for _, c := range []struct {
		total, available, deposit money.Fen
		want                      []Tender
	}{
		{3500, 10000, 0, []Tender{{Kind: TenderBalance, AmountFen: 3500}}},
		{3500, 3000, 0, []Tender{{Kind: TenderBalance, AmountFen: 3000}, {Kind: TenderNative, AmountFen: 500}}},
		{3500, 0, 0, []Tender{{Kind: TenderNative, AmountFen: 3500}}},
		{0, 100, 0, nil},
		{3500, 3000, 1000, []Tender{{Kind: TenderDeposit, AmountFen: 1000}, {Kind: TenderBalance, AmountFen: 2500}}},
		{3500, 1000, 1000, []Tender{{Kind: TenderDeposit, AmountFen: 1000}, {Kind: TenderBalance, AmountFen: 1000}, {Kind: TenderNative, AmountFen: 1500}}},
		{3500, 1000, 5000, []Tender{{Kind: TenderDeposit, AmountFen: 3500}}},
		{0, 0, 5000, nil},
	} {
		got := suggest(c.total, means{available: c.available, deposit: c.deposit})
		if len(got) != len(c.want) {
			t.Errorf("%d of %d: %v", c.total, c.available, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%d of %d: %v, want %v", c.total, c.available, got, c.want)
			}
		}
		if err := checkTenders(c.total, got, true); err != nil {
			t.Errorf("the suggestion does not pay: %v", err)
		}
	}
}

func TestReversibleBoundaries(t *testing.T) {
	at := time.Date(2026, 11, 18, 2, 0, 0, 0, time.UTC)
	const limit = 30 * time.Minute
	for _, c := range []struct {
		name   string
		status Status
		staff  int64
		any    bool
		after  time.Duration
		limit  time.Duration
		want   error
	}{
		{"at once", Settled, 7, false, 0, limit, nil},
		{"on the last millisecond", Settled, 7, false, limit, limit, nil},
		{"one millisecond later", Settled, 7, false, limit + time.Millisecond, limit, ErrTooLate},
		{"somebody else's", Settled, 8, false, 0, limit, ErrTooLate},
		{"somebody else's, with the permission", Settled, 8, true, 0, limit, nil},
		{"long after, with the permission", Settled, 8, true, 100 * limit, limit, nil},
		{"a limit of 0 allows nothing", Settled, 7, false, time.Millisecond, 0, ErrTooLate},
		{"waiting", Awaiting, 7, true, 0, limit, ErrState},
		{"cancelled", Cancelled, 7, true, 0, limit, ErrState},
		{"reversed", Reversed, 7, true, 0, limit, ErrState},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Order{Status: c.status, StaffID: 7, SettledAt: at}
			if err := reversible(o, at.Add(c.after), c.staff, c.any, c.limit); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
