// Package console serves the manager's web console and the lists that join several slices for it.
//
// Model: OrderRow and TopupRow are lines of lists; the web console itself is a static site, built from web/ and embedded.
// Owns: nothing, and writes nothing. Invariants: a list pages by key, so that no row is shown twice or missed; a reader
// sees only the stores that the reader may act in; a search never matches everybody (N32). Without a build of web/ the
// address says how to make one.
package console

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/memberview"
	"github.com/liangche/liangche/internal/money"
)

// OrderRow is an order in a list.
type OrderRow struct {
	ID          int64     `json:"id"`
	No          string    `json:"no"`
	At          time.Time `json:"at"`
	StoreName   string    `json:"storeName"`
	StaffName   string    `json:"staffName"`
	MemberID    int64     `json:"memberId,omitempty"`
	MemberName  string    `json:"memberName,omitempty" doc:"Masked"`
	Plate       string    `json:"plate"`
	Title       string    `json:"title"`
	TotalFen    money.Fen `json:"totalFen"`
	TenderLabel string    `json:"tenderLabel"`
	Status      string    `json:"status" enum:"awaiting_payment,settled,cancelled,reversed"`
	Disputed    bool      `json:"disputed"`
}

// TopupRow is a top-up in a list.
type TopupRow struct {
	ID          int64     `json:"id"`
	No          string    `json:"no"`
	At          time.Time `json:"at"`
	MemberID    int64     `json:"memberId"`
	MemberName  string    `json:"memberName" doc:"Masked"`
	AmountFen   money.Fen `json:"amountFen"`
	BonusFen    money.Fen `json:"bonusFen"`
	Method      string    `json:"method" enum:"wechat,wechat_native,cash,card,alipay"`
	State       string    `json:"state" enum:"pending,credited,closed,refunded"`
	StoreName   string    `json:"storeName"`
	StaffName   string    `json:"staffName"`
	RefundedFen money.Fen `json:"refundedFen"`
}

// search is what a text in a list of documents may mean: a document number, a plate or a part of one, a member's phone
// number or whole name. The indexes are the blind ones of phone and name.
type search struct {
	no, plate, phone, name string
	phoneIndex, nameIndex  string
}

// parseSearch reads a search text. Fault: lookup.too_short.
func parseSearch(text string) (s search, err error) {
	text = strings.TrimSpace(text)
	norm := member.NormalPlate(text)
	if utf8.RuneCountInString(text) >= 2 && !strings.ContainsAny(text, "0123456789%_") {
		s.name = strings.Join(strings.Fields(text), " ")
	}
	if utf8.RuneCountInString(norm) < 3 && s.name == "" {
		return s, memberview.ErrTooShort.Say("请输入单号、会员姓名、完整手机号，或至少 3 位车牌").On("q", "至少 3 个字")
	}
	if len(norm) >= 6 && len(norm) <= 24 && (isDigits(norm) || norm[0] >= 'A' && norm[0] <= 'Z' && isDigits(norm[1:])) {
		s.no = norm // a letter says what kind of number it is
	}
	if p, ok := member.NormalPhone(text); ok {
		s.phone = p
	}
	if memberview.PlatePart(norm) {
		s.plate = norm
	}
	return s, nil
}

func isDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// span checks a range of business dates; empty ends are open. Fault: request.invalid.
func span(from, to string) error {
	f := fault.ErrInvalid
	if from != "" && !bizday.Valid(from) {
		f = f.On("from", "应为 2026-01-31 形式的日期")
	}
	if to != "" && !bizday.Valid(to) {
		f = f.On("to", "应为 2026-01-31 形式的日期")
	}
	if len(f.Fields) == 0 && from != "" && to != "" && from > to {
		f = f.On("to", "不能早于开始日期")
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

// place is where the next page of a list begins: a sort value and the id that breaks ties.
type place struct{ value, id int64 }

func (p place) String() string {
	return strconv.FormatInt(p.value, 10) + "." + strconv.FormatInt(p.id, 10)
}

// parsePlace reads what String wrote; ok is false at the beginning. Fault: request.cursor.
func parsePlace(s string) (p place, ok bool, err error) {
	if s == "" {
		return p, false, nil
	}
	v, id, found := strings.Cut(s, ".")
	if p.value, err = strconv.ParseInt(v, 10, 64); err == nil {
		p.id, err = strconv.ParseInt(id, 10, 64)
	}
	if err != nil || !found {
		return place{}, false, memberview.ErrCursor
	}
	return p, true, nil
}
