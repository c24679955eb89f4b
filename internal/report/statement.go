package report

import (
	"cmp"
	"encoding/csv"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/money"
)

// Statement is what a group paid in a month, as the ledger has it: what was given back in the month stands in it, negative, whenever it was paid.
type Statement struct {
	GroupID   int64           `json:"groupId"`
	GroupName string          `json:"groupName"`
	Kind      string          `json:"kind" enum:"family,corporate"`
	Month     string          `json:"month" doc:"YYYY-MM"`
	PayerName string          `json:"payerName" doc:"Masked"`
	TotalFen  money.Fen       `json:"totalFen"`
	Count     int             `json:"count" doc:"Payments, less those that were undone"`
	Drivers   []StatementSum  `json:"drivers" doc:"By driver and plate"`
	Lines     []StatementLine `json:"lines" doc:"Oldest first"`
	Months    []string        `json:"months" doc:"In which there is something, newest first"`
	AsOf      time.Time       `json:"asOf"`
}

// StatementSum is what one driver used for one car.
type StatementSum struct {
	MemberID  int64     `json:"memberId"`
	Name      string    `json:"name" doc:"Masked"`
	Note      string    `json:"note,omitempty" doc:"What the payer calls the driver"`
	Plate     string    `json:"plate"`
	Count     int       `json:"count"`
	AmountFen money.Fen `json:"amountFen"`
}

// StatementLine is one payment, or one that was undone.
type StatementLine struct {
	PostingID int64     `json:"postingId"`
	OrderID   int64     `json:"orderId"`
	OrderNo   string    `json:"orderNo"`
	At        time.Time `json:"at"`
	BizDay    string    `json:"bizDay"`
	StoreName string    `json:"storeName"`
	MemberID  int64     `json:"memberId"`
	Name      string    `json:"name" doc:"Masked"`
	Plate     string    `json:"plate"`
	Title     string    `json:"title"`
	AmountFen money.Fen `json:"amountFen" doc:"Negative when it was undone"`
}

// sum adds the lines up by driver and plate.
func (t *Statement) sum() {
	by := map[[2]any]*StatementSum{}
	t.Drivers = []StatementSum{}
	for _, l := range t.Lines {
		key := [2]any{l.MemberID, l.Plate}
		if by[key] == nil {
			by[key] = &StatementSum{MemberID: l.MemberID, Name: l.Name, Plate: l.Plate}
		}
		n := 1
		if l.AmountFen < 0 {
			n = -1
		}
		by[key].Count += n
		by[key].AmountFen += l.AmountFen
		t.Count += n
		t.TotalFen += l.AmountFen
	}
	for _, s := range by {
		t.Drivers = append(t.Drivers, *s)
	}
	slices.SortFunc(t.Drivers, func(x, y StatementSum) int {
		return cmp.Or(cmp.Compare(x.MemberID, y.MemberID), cmp.Compare(x.Plate, y.Plate))
	})
}

// csv writes the lines and sums for a spreadsheet; a text that a spreadsheet would take for a formula is made plain.
func (t Statement) csv() (string, error) {
	var b strings.Builder
	b.WriteString("\ufeff") // so that Excel reads UTF-8
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{{t.GroupName, t.Month, "付款人", t.PayerName}, {"日期", "单号", "门店", "用车人", "车牌", "项目", "金额（元）"}}
	for _, l := range t.Lines {
		rows = append(rows, []string{l.BizDay, l.OrderNo, l.StoreName, l.Name, l.Plate, l.Title, l.AmountFen.String()})
	}
	rows = append(rows, nil, []string{"用车人", "车牌", "次数", "金额（元）"})
	for _, s := range t.Drivers {
		rows = append(rows, []string{s.Name, s.Plate, itoa(int64(s.Count)), s.AmountFen.String()})
	}
	rows = append(rows, []string{"合计", "", itoa(int64(t.Count)), t.TotalFen.String()})
	for _, r := range rows {
		for i, cell := range r {
			r[i] = plainCell(cell)
		}
		if err := w.Write(r); err != nil {
			return "", err
		}
	}
	w.Flush()
	return b.String(), w.Error()
}

// plainCell keeps a spreadsheet from computing a cell; amounts stay numbers.
func plainCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	if _, err := money.Parse(s); err == nil {
		return s
	}
	return "'" + s
}
