package money

import "math/bits"

// mulDiv is a×b ÷ c with its remainder, over the 128-bit product, so that no amount overflows. It needs b ≤ c.
func mulDiv(a, b, c uint64) (quo, rem uint64) {
	hi, lo := bits.Mul64(a, b)
	return bits.Div64(hi, lo, c)
}
