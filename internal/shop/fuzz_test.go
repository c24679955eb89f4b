package shop

import (
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
)

// A pasted list of days is taken whole or refused with a reason; what is taken are days that exist, each once, with hours that make sense, and reading
// what was taken gives the same.
func FuzzImport(f *testing.F) {
	for _, s := range []string{"", "2027-02-05", "2027-02-05,春节,closed", "2027/2/5，除夕，特殊，10:00-16:00", "\ufeff2027.2.5\t中秋\t休息\r\n2027-02-06;国庆;special;18:00-02:00", "2027-02-30", "2027-02-05\n2027-02-05",
		"2027-02-05,x,special,25:00-26:00", "2027-02-05,x,special,00:00-24:00", "2027-02-05,x,special,10:00-10:00", "2027-02-05,,,,,", "2027-02-05,\"a,b\",closed", "=1+1,2,3", "2027-02-05,x,special,99:59~00:00", strings.Repeat("2027-02-05\n", 500), "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		days, err := ImportInput{StoreID: 1, Text: text}.days()
		if err != nil {
			if fl := fault.As(err); days != nil || fl.Kind != fault.Invalid || len(fl.Fields) == 0 {
				t.Fatalf("refused by %v, yet %v", err, days)
			}
			return
		}
		seen := map[string]bool{}
		for _, d := range days {
			if !bizday.Valid(d.Day) || seen[d.Day] || d.StoreID != 1 {
				t.Fatalf("%q: took %+v", text, d)
			}
			seen[d.Day] = true
			if special := d.Kind == DaySpecial; special != (d.Closes > d.Opens) || d.Opens < 0 || d.Opens >= minutesOfDay || d.Closes > 2*minutesOfDay {
				t.Fatalf("%q: took the hours %+v", text, d)
			}
		}
	})
}
