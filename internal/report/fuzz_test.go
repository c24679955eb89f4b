package report

import (
	"encoding/csv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/money"
)

// A spreadsheet reads back what was written, and computes nothing that somebody wrote.
func FuzzStatementFile(f *testing.F) {
	for _, s := range []string{"", "张三", "=1+1", "+86", "-1", "-1.50", "@SUM(A1)", "\t=1", "\r=1", "a,b", "a\"b", "a\nb", "\ufeff", "'=1", "－1"} {
		f.Add(s, int64(-150))
	}
	f.Fuzz(func(t *testing.T, s string, fen int64) {
		if !utf8.ValidString(s) || fen > int64(money.MaxFen) || -fen > int64(money.MaxFen) {
			return
		}
		text, err := Statement{GroupName: s, PayerName: s, Lines: []StatementLine{{BizDay: "2026-11-18", OrderNo: "W1", StoreName: s, Name: s, Plate: "沪A12345", Title: s, AmountFen: money.Fen(fen)}},
			Drivers: []StatementSum{{Name: s, Plate: "沪A12345", Count: 1, AmountFen: money.Fen(fen)}}}.csv()
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatalf("%q is unreadable: %v", text, err)
		}
		if len(rows) != 6 && len(rows) != 5 {
			t.Fatalf("%d rows of %q", len(rows), s)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					continue
				}
				if _, err := money.Parse(cell); err != nil {
					t.Fatalf("%q would be computed", cell)
				}
			}
		}
	})
}
