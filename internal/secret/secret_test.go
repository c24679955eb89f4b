package secret_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/secret"
)

func newBox(t *testing.T) (*secret.Box, []byte) {
	t.Helper()
	keys, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, keys), keys
}

func open(t *testing.T, keys []byte) *secret.Box {
	t.Helper()
	b, err := secret.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealing(t *testing.T) {
	b, keys := newBox(t)
	const plain = "13800138000"
	sealed, err := b.Seal("member.phone", plain)
	again, err2 := b.Seal("member.phone", plain)
	if err != nil || err2 != nil || sealed == again || strings.Contains(sealed, plain) {
		t.Fatal(sealed, again, err, err2)
	}
	if got, err := b.Open("member.phone", sealed); err != nil || got != plain {
		t.Errorf("%q %v", got, err)
	}
	raw, _ := base64.RawStdEncoding.DecodeString(sealed)
	raw[len(raw)-1] ^= 1
	stranger, _ := newBox(t)
	for what, try := range map[string]func() (string, error){
		"another column": func() (string, error) { return b.Open("member.name", sealed) },
		"another key":    func() (string, error) { return stranger.Open("member.phone", sealed) },
		"one bit":        func() (string, error) { return b.Open("member.phone", base64.RawStdEncoding.EncodeToString(raw)) },
		"no base64":      func() (string, error) { return b.Open("member.phone", "%%%") },
		"cut":            func() (string, error) { return b.Open("member.phone", sealed[:8]) },
	} {
		if got, err := try(); !errors.Is(err, secret.ErrOpen) || got != "" {
			t.Errorf("%s opens: %q %v", what, got, err)
		}
	}
	// A rotated keyset reads what was sealed before and finds it; the old one does not read the new.
	more, err := secret.Rotate(keys)
	if err != nil {
		t.Fatal(err)
	}
	rotated := open(t, more)
	if got, err := rotated.Open("member.phone", sealed); err != nil || got != plain {
		t.Errorf("after a rotation: %q %v", got, err)
	}
	if rotated.Index("member.phone", plain) != b.Index("member.phone", plain) {
		t.Error("after a rotation nobody is found by phone")
	}
	if fresh, err := rotated.Seal("member.phone", plain); err != nil {
		t.Error(err)
	} else if _, err := b.Open("member.phone", fresh); !errors.Is(err, secret.ErrOpen) {
		t.Error("the rotation did not change the key")
	}
}

func TestIndexAndSignaturesAreBound(t *testing.T) {
	b, _ := newBox(t)
	stranger, _ := newBox(t)
	ix := b.Index("member.phone", "13800138000")
	if len(ix) != 32 || ix == b.Index("member.name", "13800138000") || ix == stranger.Index("member.phone", "13800138000") || ix != b.Index("member.phone", "13800138000") {
		t.Error("the index is not of its column and key")
	}
	mac := b.Sign("coupon.gift", "1:2:3")
	for _, bad := range [][3]string{{"coupon.gift", "1:2:4", mac}, {"member.oauth", "1:2:3", mac}, {"coupon.gift", "1:2:3", stranger.Sign("coupon.gift", "1:2:3")}, {"coupon.gift", "1:2:3", ""}} {
		if b.Verify(bad[0], bad[1], bad[2]) {
			t.Errorf("%v is taken", bad)
		}
	}
	if !b.Verify("coupon.gift", "1:2:3", mac) {
		t.Error("the right one is not taken")
	}
}

// What is drawn at random never repeats, and uses the whole of its alphabet evenly.
func TestRandomness(t *testing.T) {
	seen, letters, digits := map[string]bool{}, map[byte]int{}, map[byte]int{}
	const n = 4000
	for range n {
		for _, x := range []string{secret.Token(16), secret.Code(12)} {
			if seen[x] {
				t.Fatalf("%s came twice", x)
			}
			seen[x] = true
		}
		for _, c := range []byte(secret.Code(8)) {
			letters[c]++
		}
		for _, c := range []byte(secret.Digits(8)) {
			digits[c]++
		}
	}
	if len(letters) != len(secret.Letters) || len(digits) != 10 || len(secret.Letters) != 32 {
		t.Errorf("%d letters, %d digits", len(letters), len(digits))
	}
	for _, x := range []struct {
		count map[byte]int
		want  int
	}{{letters, n * 8 / 32}, {digits, n * 8 / 10}} {
		for c, k := range x.count {
			if k < x.want*3/4 || k > x.want*5/4 { // more than seven standard deviations
				t.Errorf("%c came %d times, want about %d", c, k, x.want)
			}
		}
	}
}
