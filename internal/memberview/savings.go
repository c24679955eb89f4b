package memberview

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/money"
)

// Savings is what membership brought its owner (X11): what was paid compared with what everybody pays who walks in.
type Savings struct {
	Year     Period    `json:"year" doc:"The last 365 days"`
	Life     Period    `json:"life"`
	UsesLeft int64     `json:"usesLeft" doc:"Single uses of passes and rights"`
	Coupons  int       `json:"coupons" doc:"Usable now"`
	Points   int64     `json:"points"`
	Next     NextOffer `json:"next" doc:"What serves the owner best now"`
}

// Period compares what was paid with the list price.
type Period struct {
	Visits     int       `json:"visits"`
	ListFen    money.Fen `json:"listFen" doc:"At the price that walk-ins pay"`
	PaidFen    money.Fen `json:"paidFen" doc:"Really paid: money and principal, the used part of passes and of paid memberships; no bonus, no points"`
	SavedFen   money.Fen `json:"savedFen" doc:"Never below 0"`
	Washes     int64     `json:"washes"`
	PerWashFen money.Fen `json:"perWashFen,omitempty" doc:"What a wash has cost on average; absent without washes"`

	washList money.Fen
}

// The kinds of proposal.
const (
	NextUsePass   = "use_pass"
	NextUseCoupon = "use_coupon"
	NextBuyPass   = "buy_pass"
	NextTopup     = "topup"
	NextPoints    = "use_points"
	NextTier      = "tier"
	NextBook      = "book"
)

// NextOffer is one proposal, in words.
type NextOffer struct {
	Kind    string    `json:"kind" enum:"use_pass,use_coupon,buy_pass,topup,use_points,tier,book"`
	Title   string    `json:"title"`
	Text    string    `json:"text"`
	SaveFen money.Fen `json:"saveFen,omitempty"`
	RefID   int64     `json:"refId,omitempty" doc:"The pass, plan or top-up plan that it is about"`
}

// facts are what a proposal follows from.
type facts struct {
	now      time.Time
	year     Period
	lastAt   time.Time // of the last visit; zero when there was none
	balance  money.Fen
	points   int64
	worth    money.Fen // of the points at the till
	endings  []ending  // of passes that have uses left
	coupons  []time.Time
	usesLeft int64
	plans    []planFact
	topups   []topupFact
	tierName string // the next tier
	missing  string // what it needs
	tierNear bool   // more than nine tenths of the way
}

// ending is a pass with uses left that ends.
type ending struct {
	passID int64
	name   string
	left   int64
	at     time.Time
}

// planFact is a pass of washes that can be bought: so many times, valid so many days (0: for ever).
type planFact struct {
	id        int64
	name      string
	price     money.Fen
	times     int64
	validDays int64
}

type topupFact struct {
	id            int64
	amount, bonus money.Fen
}

const (
	passSoon   = 21 * 24 * time.Hour
	couponSoon = 7 * 24 * time.Hour
	fewWashes  = 4 // in a year: below it no pass is proposed
	worthMuch  = money.Fen(1000)
)

// next decides what serves the owner best: first what would be lost, then what saves most. It is pure: the same facts give the same proposal.
func next(f facts) NextOffer {
	slices.SortStableFunc(f.endings, func(x, y ending) int { return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.passID, y.passID)) })
	for _, e := range f.endings {
		if left := e.at.Sub(f.now); left > 0 && left <= passSoon && e.left > 0 {
			return NextOffer{Kind: NextUsePass, Title: fmt.Sprintf("%s还剩 %d 次", e.name, e.left), Text: fmt.Sprintf("%s到期，记得来用", inDays(left)), RefID: e.passID}
		}
	}
	soon := 0
	var first time.Duration
	for _, at := range f.coupons {
		if left := at.Sub(f.now); left > 0 && left <= couponSoon {
			if soon == 0 || left < first {
				first = left
			}
			soon++
		}
	}
	if soon > 0 {
		return NextOffer{Kind: NextUseCoupon, Title: fmt.Sprintf("%d 张优惠券快到期", soon), Text: fmt.Sprintf("最早的%s到期，来店或预约时会自动用上", inDays(first))}
	}
	if o, ok := f.bestPass(); ok {
		return o
	}
	if f.tierNear && f.missing != "" {
		return NextOffer{Kind: NextTier, Title: "离" + f.tierName + "只差一点", Text: f.missing}
	}
	if f.worth >= worthMuch {
		return NextOffer{Kind: NextPoints, Title: fmt.Sprintf("%d 积分可抵 %s", f.points, f.worth.Yuan()), Text: "结算时可以抵现，也可以去积分商城看看", SaveFen: f.worth}
	}
	if o, ok := f.bestTopup(); ok {
		return o
	}
	text := "提前预约，到店不用等"
	if !f.lastAt.IsZero() {
		if days := int(f.now.Sub(f.lastAt).Hours() / 24); days >= 14 {
			text = fmt.Sprintf("上次到店是 %d 天前，约个时间来洗洗", days)
		}
	}
	return NextOffer{Kind: NextBook, Title: "约下一次", Text: text}
}

// bestPass proposes the pass that saves most at the pace of the last year, counting only the washes that fit into its time.
func (f facts) bestPass() (o NextOffer, ok bool) {
	if f.usesLeft > 0 || f.year.Washes < fewWashes {
		return o, false
	}
	each := f.year.washList / money.Fen(f.year.Washes)
	for _, p := range f.plans {
		uses := p.times
		if p.validDays > 0 {
			uses = min(uses, f.year.Washes*p.validDays/365)
		} else {
			uses = min(uses, 3*f.year.Washes) // for ever is not counted beyond three years
		}
		if save := each*money.Fen(uses) - p.price; save > o.SaveFen {
			o = NextOffer{Kind: NextBuyPass, Title: "买" + p.name + "更划算", SaveFen: save, RefID: p.id,
				Text: fmt.Sprintf("您过去一年洗了 %d 次，照这样用，比单次付款省 %s", f.year.Washes, save.Yuan())}
			ok = true
		}
	}
	return o, ok
}

// bestTopup proposes the plan with the highest bonus share that the owner would use up within a year, when the balance no longer pays a visit.
func (f facts) bestTopup() (o NextOffer, ok bool) {
	if f.year.Visits == 0 || f.balance*money.Fen(f.year.Visits) >= f.year.PaidFen {
		return o, false
	}
	var best topupFact
	for _, t := range f.topups {
		if t.bonus > 0 && t.amount <= max(f.year.PaidFen, 1) && (best.amount == 0 || t.bonus*best.amount > best.bonus*t.amount) {
			best = t
		}
	}
	if best.amount == 0 {
		return o, false
	}
	return NextOffer{Kind: NextTopup, Title: fmt.Sprintf("充 %s 送 %s", best.amount.Yuan(), best.bonus.Yuan()), Text: "余额不够一次到店了，充值更省", SaveFen: best.bonus, RefID: best.id}, true
}

func inDays(d time.Duration) string {
	if days := int(d.Hours() / 24); days > 0 {
		return fmt.Sprintf("%d 天后", days)
	}
	return "今天"
}

// settle fills in what follows from list and paid.
func (p *Period) settle() {
	p.SavedFen = max(p.ListFen-p.PaidFen, 0)
	if p.Washes > 0 && p.ListFen > 0 {
		p.PerWashFen = money.Split(p.PaidFen, []money.Fen{min(p.washList, p.ListFen), max(p.ListFen-p.washList, 0)})[0] / money.Fen(p.Washes)
	}
}

// overlap is how much of an amount that was earned evenly from one instant to another was earned since an instant.
func overlap(amount money.Fen, from, to, since time.Time) money.Fen {
	if !since.After(from) {
		return amount
	}
	if !to.After(since) || amount <= 0 {
		return 0
	}
	return money.Split(amount, []money.Fen{money.Fen(to.Sub(since) / time.Second), money.Fen(since.Sub(from) / time.Second)})[0]
}
