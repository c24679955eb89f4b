// Package money holds amounts and the rounding of rates.
//
// Model: Fen is an amount in fen (1/100 yuan) as int64; BP is a rate in basis points (10000 = 100 %).
// Owns: nothing. Invariants: no float anywhere; every rounding is named; splitting loses no fen.
package money

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Fen is an amount of money in fen.
type Fen int64

// BP is a rate in basis points: 9500 is 95 %.
type BP int64

// Whole is the rate of 100 %.
const Whole BP = 10000

// MaxFen is the largest amount that any command accepts: 100 million yuan.
const MaxFen Fen = 100_000_000_00

// ErrFormat reports a text that is no amount of yuan with at most two decimals.
var ErrFormat = errors.New("money: not an amount in yuan")

// String writes yuan with two decimals: 123456 is "1234.56".
func (f Fen) String() string {
	sign, v := "", uint64(f)
	if f < 0 {
		sign, v = "-", uint64(-f)
	}
	return fmt.Sprintf("%s%d.%02d", sign, v/100, v%100)
}

// Yuan writes the amount as people read it: ¥1,234.56.
func (f Fen) Yuan() string {
	s := f.String()
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	dot := len(s) - 3
	for i := dot - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + "¥" + s
}

// Parse reads "12", "12.3" or "12.34" yuan, as WeChat's bills write them. Fault: ErrFormat.
func Parse(s string) (Fen, error) {
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" || len(whole) > 12 || len(frac) > 2 || strings.HasSuffix(s, ".") {
		return 0, ErrFormat
	}
	for len(frac) < 2 {
		frac += "0"
	}
	v, err := strconv.ParseUint(whole+frac, 10, 62)
	if err != nil {
		return 0, ErrFormat
	}
	if neg {
		return -Fen(v), nil
	}
	return Fen(v), nil
}

// Round is f × rate, rounded half away from zero to whole fen.
func (r BP) Round(f Fen) Fen {
	v := int64(f) * int64(r)
	if v < 0 {
		return -Fen((-v + 5000) / 10000)
	}
	return Fen((v + 5000) / 10000)
}

// Ceil is f × rate, rounded up: the way to compute a floor price that is never undercut. f must not be negative.
func (r BP) Ceil(f Fen) Fen { return Fen((int64(f)*int64(r) + 9999) / 10000) }

// Split shares total over weights by largest remainder: the parts sum to total exactly, each part lies between its
// exact share rounded down and up, and a part never exceeds its weight when total does not exceed the sum of weights.
// All inputs must be ≥ 0; with all weights 0 everything goes to the first part.
func Split(total Fen, weights []Fen) []Fen {
	out := make([]Fen, len(weights))
	if len(weights) == 0 {
		return out
	}
	var sum Fen
	for _, w := range weights {
		sum += w
	}
	if sum == 0 {
		out[0] = total
		return out
	}
	rem := make([]uint64, len(weights))
	left := total
	for i, w := range weights {
		q, r := mulDiv(uint64(total), uint64(w), uint64(sum))
		out[i], rem[i] = Fen(q), r
		left -= out[i]
	}
	for ; left > 0; left-- {
		best := 0
		for i := range rem {
			if rem[i] > rem[best] {
				best = i
			}
		}
		out[best]++
		rem[best] = 0
	}
	return out
}
