// Package report shows the manager how the business does (L01, story step 6).
//
// Model: a Dashboard is one business date of one store, or of all stores that the reader may see; a Cockpit is what the business owes its
// members now, by kind, age and month, and a WindDown what each would get back by which way (X14); a Statement is a group's month (X06).
// Owns: nothing, and writes nothing. Invariants: every figure follows from stored rows by the business date that was
// stored with them, so a day's figures do not move when a store's time zone is edited; money that came in and money
// that went out are never set off against each other; arrays over hours and days are always complete; what is owed is the ledger's: ages, months and the
// members' shares sum to it.
package report

import (
	"time"

	"github.com/liangche/liangche/internal/money"
)

// Dashboard is a business date at a glance. Takings are what the tills and WeChat really received and gave back on that
// date, top-ups included; settlements are the date's orders less those that were reversed since.
type Dashboard struct {
	Date             string      `json:"date" doc:"YYYY-MM-DD"`
	StoreName        string      `json:"storeName,omitempty"`
	Takings          []Taking    `json:"takings" doc:"Money in by way of paying; money given back stands apart, negative"`
	Topups           Topups      `json:"topups"`
	Settlements      Settlements `json:"settlements"`
	NewMembers       int         `json:"newMembers"`
	Liability        Liability   `json:"liability"`
	OpenDisputes     int         `json:"openDisputes"`
	AwaitingPayments int         `json:"awaitingPayments"`
	Hourly           []Hour      `json:"hourly" doc:"24, by the clock of the store"`
	Days             []Day       `json:"days" doc:"14, the last one is the date"`
}

// Taking is the sum of one way of paying. Kind ends in _refund for money given back.
type Taking struct {
	Kind      string    `json:"kind" enum:"cash,card,alipay,wechat,cash_refund,card_refund,alipay_refund,wechat_refund"`
	Label     string    `json:"label"`
	AmountFen money.Fen `json:"amountFen"`
	Count     int       `json:"count"`
}

// Topups are the top-ups that were credited on the date.
type Topups struct {
	Count     int       `json:"count"`
	AmountFen money.Fen `json:"amountFen"`
	BonusFen  money.Fen `json:"bonusFen"`
}

// Settlements are the orders of the date; BalanceFen is what stored value paid of them.
type Settlements struct {
	Count      int       `json:"count"`
	TotalFen   money.Fen `json:"totalFen"`
	BalanceFen money.Fen `json:"balanceFen"`
}

// Liability is what the whole business owes its members now, whatever store and date are looked at: stored value is
// good in every store (X14).
type Liability struct {
	PrincipalFen money.Fen `json:"principalFen"`
	BonusFen     money.Fen `json:"bonusFen"`
	Members      int       `json:"members" doc:"Who hold any of it"`
}

// Hour is one hour of the date.
type Hour struct {
	Hour       int       `json:"hour"`
	SettledFen money.Fen `json:"settledFen"`
	TopupFen   money.Fen `json:"topupFen"`
}

// Day is one business date.
type Day struct {
	Date       string    `json:"date"`
	SettledFen money.Fen `json:"settledFen"`
	TopupFen   money.Fen `json:"topupFen"`
}

const daysShown = 14

var ways = []struct{ account, label string }{{"cash", "现金"}, {"wechat", "微信支付"}, {"alipay", "支付宝"}, {"card", "刷卡"}}

// flow is what one shop account moved: positive came in, negative went out.
type flow struct {
	in, out         money.Fen
	inCount, outCnt int
}

// takings lists money in by way of paying, then money out; ways that moved nothing are left out.
func takings(flows map[string]flow) []Taking {
	out := []Taking{}
	for _, w := range ways {
		if f := flows[w.account]; f.inCount > 0 {
			out = append(out, Taking{w.account, w.label, f.in, f.inCount})
		}
	}
	for _, w := range ways {
		if f := flows[w.account]; f.outCnt > 0 {
			out = append(out, Taking{w.account + "_refund", w.label + "退回", f.out, f.outCnt})
		}
	}
	return out
}

// dates are the n dates that end with last, oldest first. last must be a valid date.
func dates(last string, n int) []string {
	t, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = t.AddDate(0, 0, i-n+1).Format(time.DateOnly)
	}
	return out
}
