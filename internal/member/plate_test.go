package member

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParsePlate(t *testing.T) {
	for _, c := range []struct{ in, plate, kind string }{
		{"京A12345", "京A12345", PlateBlue}, {" 京a·12345 ", "京A12345", PlateBlue}, {"沪B-8D.888", "沪B8D888", PlateBlue},
		{"粤ＡＤ１２３４５", "粤AD12345", PlateGreen}, {"苏E5F6G7", "苏E5F6G7", PlateBlue},
		{"粤BD12345", "粤BD12345", PlateGreen}, {"京AF1234D", "", ""}, {"京A12345D", "京A12345D", PlateGreen}, {"京A12345F", "京A12345F", PlateGreen},
		{"浙ADK1234", "浙ADK1234", PlateGreen}, {"京AA12345", "京AA12345", PlateGreen}, {"京AL12345", "", ""}, {"京A1234DD", "", ""},
		{"京A1234警", "京A1234警", PlateOther}, {"京A1234学", "京A1234学", PlateYellow}, {"冀B1234挂", "冀B1234挂", PlateYellow},
		{"粤Z1234港", "粤Z1234港", PlateOther}, {"粤Z1234澳", "粤Z1234澳", PlateOther}, {"京Z1234港", "", ""}, {"沪A1234领", "沪A1234领", PlateOther},
		{"使123456", "使123456", PlateOther}, {"123456使", "123456使", PlateOther}, {"使12345A", "", ""},
		{"", "", ""}, {"京", "", ""}, {"京A1234", "", ""}, {"京A123456789", "", ""}, {"A123456", "", ""}, {"龙A12345", "", ""}, {"京112345", "", ""},
		{"京I12345", "", ""}, {"京O12345", "", ""}, {"京AI2345", "", ""}, {"京A1234O", "", ""}, {"京A12 4!", "", ""}, {"京A12345警", "", ""},
		{"'; DROP TABLE", "", ""}, {"<script>1", "", ""}, {"京A12\xff45", "", ""},
	} {
		plate, kind, complaint := ParsePlate(c.in)
		if plate != c.plate || kind != c.kind || (complaint == "") != (c.plate != "") {
			t.Errorf("%q: %q %q %q, want %q %q", c.in, plate, kind, complaint, c.plate, c.kind)
		}
	}
}

func FuzzParsePlate(f *testing.F) {
	for _, s := range []string{"京A12345", "粤BD12345", "使123456", "冀B1234挂", "", "京A", "\xff\xfe", "京A·１２３４５", strings.Repeat("京", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		plate, kind, complaint := ParsePlate(s)
		if complaint != "" {
			if plate != "" || kind != "" {
				t.Fatalf("%q: refused, yet %q %q", s, plate, kind)
			}
			return
		}
		if n := utf8.RuneCountInString(plate); n < 7 || n > 8 || !utf8.ValidString(plate) || len(plate) > 16 {
			t.Fatalf("%q: accepted %q", s, plate)
		}
		if strings.ContainsAny(plate, "IO") {
			t.Fatalf("%q: accepted %q with I or O", s, plate)
		}
		if p2, k2, c2 := ParsePlate(plate); p2 != plate || k2 != kind || c2 != "" {
			t.Fatalf("%q: not stable: %q then %q %q", s, plate, p2, c2)
		}
	})
}
