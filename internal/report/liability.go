package report

import (
	"time"

	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// Cockpit is what the whole business owes its members, from the ledger (X14).
type Cockpit struct {
	AsOf           time.Time   `json:"asOf"`
	PrincipalFen   money.Fen   `json:"principalFen" doc:"Paid into stored value and not spent"`
	BonusFen       money.Fen   `json:"bonusFen" doc:"Given on top; never paid out"`
	PassesFen      money.Fen   `json:"passesFen" doc:"Passes at their allocated value: paid, and neither used nor given back"`
	MembershipsFen money.Fen   `json:"membershipsFen" doc:"Paid memberships, the months still to come"`
	DepositsFen    money.Fen   `json:"depositsFen" doc:"Paid for bookings that are still to come"`
	PointsFen      money.Fen   `json:"pointsFen" doc:"Points at the cost that the settings name"`
	TotalFen       money.Fen   `json:"totalFen"`
	CashOwedFen    money.Fen   `json:"cashOwedFen" doc:"The total without bonus and points: what a wind-down pays out at most"`
	Points         int64       `json:"points"`
	Uses           int64       `json:"uses" doc:"Single uses of passes and rights that are left"`
	Members        int         `json:"members" doc:"Who hold stored value"`
	Ageing         []AgeBucket `json:"ageing" doc:"By the age of what is left; oldest last"`
	Caps           Caps        `json:"caps"`
	Months         []MonthEnd  `json:"months" doc:"The last 24, oldest first, the running month last"`
}

// AgeBucket is what is left of money and points that came in within some days.
type AgeBucket struct {
	Label        string    `json:"label"`
	FromDays     int       `json:"fromDays"`
	ToDays       int       `json:"toDays,omitempty" doc:"Absent: and older"`
	PrincipalFen money.Fen `json:"principalFen"`
	BonusFen     money.Fen `json:"bonusFen"`
	PassesFen    money.Fen `json:"passesFen"`
	Points       int64     `json:"points"`
}

// Caps are the cards that hold more than the rules on prepaid cards allow.
type Caps struct {
	NamedFen    money.Fen `json:"namedFen" doc:"Of a card whose holder is known by name and phone"`
	UnnamedFen  money.Fen `json:"unnamedFen"`
	NamedOver   int       `json:"namedOver"`
	UnnamedOver int       `json:"unnamedOver"`
	Items       []OverCap `json:"items" doc:"The first hundred, most first"`
}

// OverCap is a card above its cap.
type OverCap struct {
	MemberID     int64     `json:"memberId"`
	Name         string    `json:"name" doc:"Masked"`
	PhoneMasked  string    `json:"phoneMasked"`
	CardNo       string    `json:"cardNo"`
	Named        bool      `json:"named"`
	PrincipalFen money.Fen `json:"principalFen"`
	CapFen       money.Fen `json:"capFen"`
	OverFen      money.Fen `json:"overFen"`
}

// MonthEnd is what was owed at the end of a month, and what the month moved.
type MonthEnd struct {
	Month          string    `json:"month" doc:"YYYY-MM"`
	PrincipalFen   money.Fen `json:"principalFen"`
	BonusFen       money.Fen `json:"bonusFen"`
	PassesFen      money.Fen `json:"passesFen"`
	MembershipsFen money.Fen `json:"membershipsFen"`
	Points         int64     `json:"points"`
	ReceivedFen    money.Fen `json:"receivedFen" doc:"In the month, by cash, card, Alipay and WeChat, less what was given back"`
	RevenueFen     money.Fen `json:"revenueFen" doc:"Earned in the month"`
}

// The legal caps of a single card (rules on single-purpose prepaid cards).
const (
	namedCap   money.Fen = 500_000
	unnamedCap money.Fen = 100_000
)

const (
	monthsShown = 24
	overShown   = 100
)

// ages are the upper ends of the age buckets, in days; what is older has a bucket of its own.
var ages = []int{30, 90, 180, 365}

var ageLabels = []string{"30 天内", "31–90 天", "91–180 天", "181–365 天", "一年以上"}

func ageBuckets() []AgeBucket {
	out := make([]AgeBucket, len(ages)+1)
	from := 0
	for i := range out {
		out[i] = AgeBucket{Label: ageLabels[i], FromDays: from}
		if i < len(ages) {
			out[i].ToDays = ages[i]
			from = ages[i] + 1
		}
	}
	return out
}

// monthEnds turns the sums of months into the balances at their ends; last is the running month. Months in which nothing moved are there too.
func monthEnds(m ledger.Months, last string, n int) []MonthEnd {
	shown := make([]string, n)
	t, err := time.Parse("2006-01", last)
	if err != nil {
		return nil
	}
	for i := range shown {
		shown[i] = t.AddDate(0, i-n+1, 0).Format("2006-01")
	}
	var sum MonthEnd
	take := func(by map[ledger.Column]int64) {
		sum.PrincipalFen += fen(by[ledger.Held(ledger.Principal)])
		sum.BonusFen += fen(by[ledger.Held(ledger.Bonus)])
		sum.PassesFen += fen(by[ledger.Owed(ledger.Passes)])
		sum.MembershipsFen += fen(by[ledger.Owed(ledger.Memberships)])
		sum.Points += by[ledger.Held(ledger.Points)]
	}
	for month, by := range m {
		if month < shown[0] {
			take(by)
		}
	}
	out := make([]MonthEnd, 0, n)
	for _, month := range shown {
		by := m[month]
		take(by)
		end := sum
		end.Month = month
		for _, w := range ways {
			end.ReceivedFen -= fen(by[ledger.Owed(w.account)]) // money in is written negative
		}
		end.RevenueFen = fen(by[ledger.Owed(ledger.Revenue)])
		out = append(out, end)
	}
	return out
}

// pointsCost is what points cost the shop, per hundred, rounded up.
func pointsCost(points int64, perHundred money.Fen) money.Fen {
	return fen((points*int64(perHundred) + 99) / 100)
}
