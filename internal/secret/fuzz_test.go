package secret

import (
	"errors"
	"testing"
)

// Only what was sealed for a column opens, and a keyset that is none is refused.
func FuzzOpen(f *testing.F) {
	key, err := Generate()
	if err != nil {
		f.Fatal(err)
	}
	b, err := New(key)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "AAAA", "====", "13800008000", "{}", `{"aead":{}}`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if plain, err := b.Open("member.phone", s); s != "" && (!errors.Is(err, ErrOpen) || plain != "") {
			t.Fatalf("%q opens as %q: %v", s, plain, err)
		}
		sealed, err := b.Seal("member.phone", s)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := b.Open("member.phone", sealed); err != nil || plain != s {
			t.Fatalf("%q: %q %v", s, plain, err)
		}
		if _, err := b.Open("member.name", sealed); s != "" && !errors.Is(err, ErrOpen) {
			t.Fatalf("%q opens in another column", s)
		}
		if b.Verify("x", s, s) || !b.Verify("x", s, b.Sign("x", s)) || b.Verify("y", s, b.Sign("x", s)) {
			t.Fatalf("the signature of %q", s)
		}
		if box, err := New([]byte(s)); err == nil {
			t.Fatalf("%q is a keyset: %v", s, box)
		}
	})
}
