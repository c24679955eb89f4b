package member

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A phone number is eleven digits however it was written, and reading it again changes nothing.
func FuzzNormalPhone(f *testing.F) {
	for _, s := range []string{"", "13800008000", "+86 138-0000-8000", "8613800008000", "(138)00008000", "12800008000", "138000080001", "１３８００００８０００", "+8686138000080", "\x00", "+86+8613800008000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := NormalPhone(s)
		if !ok {
			return
		}
		if len(p) != 11 || !allDigits(p) || p[0] != '1' {
			t.Fatalf("%q: accepted %q", s, p)
		}
		if again, ok := NormalPhone(p); again != p || !ok {
			t.Fatalf("%q: %q, then %q", s, p, again)
		}
		if m := MaskPhone(p); m != p[:3]+"****"+p[7:] {
			t.Fatalf("%q: masked as %q", p, m)
		}
	})
}

// The number of a plastic card is what is stored, however a reader spelled it.
func FuzzOldCard(f *testing.F) {
	for _, s := range []string{"", "1234", "%B12345678^NAME^2512?", ";1234567=2512?", "%%%", ";=?", "ab-12 34", "%B^", strings.Repeat("9", 33), "１２３４", "\xff1234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		no := cleanOldCard(s)
		if no == "" {
			return
		}
		if len(no) < 4 || len(no) > 32 || strings.Trim(no, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Fatalf("%q: accepted %q", s, no)
		}
		if again := cleanOldCard(no); again != no {
			t.Fatalf("%q: %q, then %q", s, no, again)
		}
	})
}

// Names and free texts that are accepted are of the promised length, hold no control character and stay as they are.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"", " 王 小明 ", "O’Neil-Śmith", "a\x00b", "a\nb", "\u202eabc", "\xff", strings.Repeat("王", 31), "王·明", "١٢٣", "👍", "\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, bad := cleanName(s); bad == "" {
			if n := utf8.RuneCountInString(name); n < 1 || n > 30 || !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\n\r\t<>\"&") {
				t.Fatalf("%q: the name %q", s, name)
			}
			if again, bad := cleanName(name); again != name || bad != "" {
				t.Fatalf("%q: %q, then %q %q", s, name, again, bad)
			}
			if m := MaskName(name); utf8.RuneCountInString(name) > 1 && m == name && !strings.HasSuffix(name, "*") {
				t.Fatalf("%q is not masked", name)
			}
		}
		if text, bad := cleanText(s, 20); bad == "" && (utf8.RuneCountInString(text) > 20 || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\x7f")) {
			t.Fatalf("%q: the text %q", s, text)
		}
	})
}

// A code that the phone shows is read back, whatever stands around it, and one wrong digit is noticed.
func FuzzMemberCode(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"), "123456789", int64(29000000), byte(3))
	f.Add([]byte{}, "000000000", int64(0), byte(17))
	f.Fuzz(func(t *testing.T, key []byte, device string, step int64, at byte) {
		if len(device) != 9 || !allDigits(device) {
			return
		}
		code := MemberCode(key, device, step)
		no, digits, ok := parseCode("lc1:" + code[:6] + " " + code[6:12] + "-" + code[12:] + " ")
		if !ok || no != device || digits != otp(key, device, step) {
			t.Fatalf("%s is read as %s %s %v", code, no, digits, ok)
		}
		wrong := []byte(code)
		i := int(at) % len(wrong)
		wrong[i] = '0' + (wrong[i]-'0'+1+at/18%9)%10
		if _, _, ok := parseCode(string(wrong)); ok {
			t.Fatalf("%s passes for %s", wrong, code)
		}
	})
}
