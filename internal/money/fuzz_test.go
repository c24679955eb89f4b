package money

import (
	"math/big"
	"strings"
	"testing"
)

// What Parse accepts is what was written: String gives it back, and nothing but digits, one point and a leading minus is accepted.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "0", "0.00", "-0", "12", "12.3", "12.34", "12.345", ".5", "5.", "-", "--1", "+1", "1e3", "1,000.00", "１２", "999999999999.99", "9999999999999", " 1", "1 ", "0x10", "1_0", "\x00", "00012.30"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse(s)
		if err != nil {
			if v != 0 {
				t.Fatalf("%q: refused, yet %d", s, v)
			}
			return
		}
		if strings.Trim(s, "0123456789.-") != "" || strings.Count(s, ".") > 1 || strings.LastIndex(s, "-") > 0 {
			t.Fatalf("%q: accepted as %d", s, v)
		}
		want, ok := new(big.Rat).SetString(s)
		if got := big.NewRat(int64(v), 100); !ok || got.Cmp(want) != 0 {
			t.Fatalf("%q: read as %s", s, v)
		}
		if again, err := Parse(v.String()); err != nil || again != v {
			t.Fatalf("%q: written as %s, which is read as %d: %v", s, v, again, err)
		}
	})
}

// Splitting loses no fen, takes no more from a part than it holds, and stays within one fen of the exact share.
func FuzzSplit(f *testing.F) {
	f.Add(int64(0), int64(0), int64(0), int64(0))
	f.Add(int64(3500), int64(50000), int64(8000), int64(0))
	f.Add(int64(1), int64(1), int64(1), int64(1))
	f.Add(int64(MaxFen), int64(MaxFen), int64(MaxFen), int64(1))
	f.Fuzz(func(t *testing.T, total, a, b, c int64) {
		weights := []Fen{Fen(a), Fen(b), Fen(c)}
		var sum Fen
		for _, w := range weights {
			if w < 0 || w > MaxFen {
				return
			}
			sum += w
		}
		if total < 0 || Fen(total) > sum {
			return
		}
		var got Fen
		for i, p := range Split(Fen(total), weights) {
			got += p
			if p < 0 || p > weights[i] {
				t.Fatalf("%d over %v: part %d is %d", total, weights, i, p)
			}
			if sum == 0 {
				continue
			}
			exact := big.NewRat(0, 1).Mul(big.NewRat(total, int64(sum)), big.NewRat(int64(weights[i]), 1))
			if d := exact.Sub(exact, big.NewRat(int64(p), 1)); d.Abs(d).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("%d over %v: part %d is %d, off by %s", total, weights, i, p, d)
			}
		}
		if got != Fen(total) {
			t.Fatalf("%d over %v: the parts sum to %d", total, weights, got)
		}
	})
}
