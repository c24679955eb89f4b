// Package memberview reads what several slices know about a member into one answer: the owner's pages, the desk's
// view of a customer, and the console's list, detail and ledger.
//
// Model: a Record is one posting of the ledger that moved money, as its owner reads it; a Found is one hit of a search; Savings compare what
// a member paid with the list price and propose what serves best next (X11).
// Owns: nothing, and writes nothing. Invariants: an owner sees only the owner's own rows; names and phones leave masked,
// except to their owner; a search never picks somebody by itself, never matches everybody and takes the user's % and _
// as themselves (N32); every list pages by key, in an order that does not change under it.
package memberview

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
)

// Faults of this package.
var (
	ErrTooShort = fault.Define(fault.Invalid, "lookup.too_short", "请输入完整手机号、手机尾号 4 位、卡号，或至少 3 位车牌")
	ErrCursor   = fault.Define(fault.Malformed, "request.cursor", "翻页位置无效，请回到第一页重新查看")
)

// Wallet is what a member holds. Held is the part of the total that is promised to an unfinished settlement.
type Wallet struct {
	PrincipalFen money.Fen `json:"principalFen"`
	BonusFen     money.Fen `json:"bonusFen"`
	TotalFen     money.Fen `json:"totalFen"`
	HeldFen      money.Fen `json:"heldFen"`
}

// KindWalkInTender is a visit that touched no stored value.
const KindWalkInTender = "walk_in_tender"

// Record is one event of a member's account. Seq grows with every event; the deltas are signed.
type Record struct {
	ID                int64     `json:"id"`
	Seq               int64     `json:"seq"`
	Kind              string    `json:"kind" enum:"topup,consume,reversal,refund,walk_in_tender,adjust,sale,sale_refund,merge"`
	Title             string    `json:"title"`
	At                time.Time `json:"at"`
	StoreName         string    `json:"storeName"`
	DeltaFen          money.Fen `json:"deltaFen"`
	PrincipalDeltaFen money.Fen `json:"principalDeltaFen"`
	BonusDeltaFen     money.Fen `json:"bonusDeltaFen"`
	BalanceAfterFen   money.Fen `json:"balanceAfterFen"`
	PaidFen           money.Fen `json:"paidFen" doc:"The whole bill of a visit, the paid amount of a top-up, the price of a purchase"`
	OrderID           int64     `json:"orderId,omitempty"`
	TopupID           int64     `json:"topupId,omitempty"`
	SaleID            int64     `json:"saleId,omitempty" doc:"Of a pass, a membership or goods"`
}

// query is what a search text may mean; several readings are searched together.
type query struct {
	phone string // 11 digits
	last4 string
	card  string // at least 4 digits: a card number or its beginning
	plate string // at least 3 characters with a digit among them
	name  string // a whole name, only where names may be searched

	oldCard string // the whole number of a plastic card from before, with a digit
}

// parseQuery reads a search text. Fewer than three characters are refused; a text that can be none of the readings
// finds nobody (N32). Fault: ErrTooShort.
func parseQuery(text string, names bool) (query, error) {
	var q query
	text = strings.TrimSpace(text)
	norm := member.NormalPlate(text)
	if names && utf8.RuneCountInString(text) >= 2 && !strings.ContainsAny(text, "0123456789%_") {
		q.name = strings.Join(strings.Fields(text), " ")
	}
	n := utf8.RuneCountInString(norm)
	if n < 3 && q.name == "" {
		return q, ErrTooShort.On("q", "至少 3 个字")
	}
	if p, ok := member.NormalPhone(text); ok {
		q.phone = p
	}
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, text)
	if onlyDigits(digits) {
		if len(digits) == 4 {
			q.last4 = digits
		}
		if len(digits) >= 4 && len(digits) <= 12 {
			q.card = digits
		}
	}
	if PlatePart(norm) {
		q.plate = norm
	}
	if no := member.CleanOldCard(text); strings.ContainsAny(no, "0123456789") {
		q.oldCard = no
	}
	return q, nil
}

func onlyDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// PlatePart says whether s, normalised by member.NormalPlate, may be searched as part of a plate: 3 to 8 letters and
// digits, Han characters at its ends, and a digit at least, because every plate has one and a text without digits would
// match far too many (N32).
func PlatePart(s string) bool {
	r := []rune(s)
	if len(r) < 3 || len(r) > 8 {
		return false
	}
	digit := false
	for i, c := range r {
		switch {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'A' && c <= 'Z':
		case (i == 0 || i == len(r)-1) && c >= 0x4e00 && c <= 0x9fff:
		default:
			return false
		}
	}
	return digit
}
