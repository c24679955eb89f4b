package pass

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/sale"
)

// Whose doing it is that a pass is given back (X01).
const (
	FaultShop     = "shop"
	FaultCustomer = "customer"
)

// The rules by which a refund was computed.
const (
	RuleCoolOff  = "cool_off" // unused, and within the days in which all of it goes back
	RuleShop     = "shop"     // what was used counts at the discounted price
	RuleCustomer = "customer" // what was used counts at the agreed price of a single use
)

// RefundLine is what a line of the pass was used for.
type RefundLine struct {
	Title       string    `json:"title"`
	Times       int64     `json:"times" doc:"0: not counted"`
	Used        int64     `json:"used"`
	Left        int64     `json:"left"`
	ListFen     money.Fen `json:"listFen" doc:"Agreed price of a single use"`
	DiscountFen money.Fen `json:"discountFen" doc:"What one use cost in the pass; 0 when it is counted by time"`
	UsedFen     money.Fen `json:"usedFen" doc:"What the used ones count for by the rule that applies"`
}

// RefundPart is what goes back to one payment.
type RefundPart struct {
	SaleID    int64     `json:"saleId"`
	No        string    `json:"no"`
	At        time.Time `json:"at"`
	Method    string    `json:"method" enum:"wechat,wechat_native,cash,card,alipay,balance,free"`
	PaidFen   money.Fen `json:"paidFen"`
	AmountFen money.Fen `json:"amountFen"`
	BonusFen  money.Fen `json:"bonusFen,omitempty" doc:"Of amountFen: back to bonus, in proportion to what paid"`
	ByHand    bool      `json:"byHand" doc:"The desk hands this part out"`
}

// RefundPlan is a refund computed so that both sides can read it: print it as it is.
type RefundPlan struct {
	PlanHash    string       `json:"planHash"`
	PassID      int64        `json:"passId"`
	PassNo      string       `json:"passNo"`
	Name        string       `json:"name"`
	At          time.Time    `json:"at"`
	PaidAt      time.Time    `json:"paidAt"`
	Fault       string       `json:"fault" enum:"shop,customer"`
	Rule        string       `json:"rule" enum:"cool_off,shop,customer"`
	PaidFen     money.Fen    `json:"paidFen"`
	BackFen     money.Fen    `json:"backFen" doc:"What went back before"`
	UsedFen     money.Fen    `json:"usedFen" doc:"What the shop keeps of it"`
	ElapsedDays int64        `json:"elapsedDays,omitempty" doc:"Of a pass that is counted by time: days gone, pauses not counted"`
	TotalDays   int64        `json:"totalDays,omitempty"`
	RefundFen   money.Fen    `json:"refundFen"`
	BonusFen    money.Fen    `json:"bonusFen,omitempty" doc:"Of refundFen: back to bonus, never paid out"`
	Lines       []RefundLine `json:"lines"`
	Parts       []RefundPart `json:"parts"`
	Explain     []string     `json:"explain"`

	keptFen money.Fen // of the pass's value, earned by the refund
}

// PlanRefund computes what goes back of a pass: unused and within the cooling-off, all of it; later by fault. It is pure. funds are the sales
// that paid, extra how many uses each recharge brought.
func PlanRefund(p Pass, funds []sale.Sale, extra map[int64]int64, whose string, now time.Time) RefundPlan {
	r := RefundPlan{PassID: p.ID, PassNo: p.No, Name: p.Name, At: now, PaidAt: p.PaidAt, Fault: whose, PaidFen: p.PaidFen, Lines: []RefundLine{}, Parts: []RefundPart{}}
	used, usedList := int64(0), money.Fen(0)
	for _, l := range p.Lines {
		used += l.Used
		usedList += l.ListFen * money.Fen(l.Used)
	}
	for _, f := range funds {
		r.BackFen += f.RefundedFen
	}
	discounted := p.ValueFen - p.due(now) // what is owed at the discounted price: used ones are earned already
	switch {
	case used == 0 && r.BackFen == 0 && now.Before(p.PaidAt.Add(time.Duration(p.Terms.CoolOffDays)*day)):
		r.Rule, r.RefundFen = RuleCoolOff, p.ValueFen
	case whose == FaultShop:
		r.Rule, r.RefundFen = RuleShop, discounted
	default:
		r.Rule, r.RefundFen = RuleCustomer, min(max(p.PaidFen-r.BackFen-usedList, 0), discounted)
		r.RefundFen = max(r.RefundFen, fresh(p, funds, extra, now))
	}
	r.RefundFen = min(r.RefundFen, p.ValueFen)
	r.UsedFen = max(p.PaidFen-r.BackFen-r.RefundFen, 0)
	r.keptFen = p.ValueFen - r.RefundFen
	r.fill(p, now)
	r.spread(funds, now)
	r.explain(p)
	b, _ := json.Marshal([]any{r.PassID, r.Fault, r.Rule, r.RefundFen, r.Parts, used}) // plain values always marshal
	h := sha256.Sum256(b)
	r.PlanHash = hex.EncodeToString(h[:12])
	return r
}

// fresh is what recharges within the cooling-off paid, whose uses are all still there: it goes back whatever the rest was used for.
func fresh(p Pass, funds []sale.Sale, extra map[int64]int64, now time.Time) (sum money.Fen) {
	var left int64
	for _, l := range p.Lines {
		left += l.Left
	}
	for i := len(funds) - 1; i >= 0; i-- {
		f := funds[i]
		n := extra[f.ID]
		if n == 0 || left < n || !now.Before(f.PaidAt.Add(time.Duration(p.Terms.CoolOffDays)*day)) {
			break
		}
		sum += f.Left()
		left -= n
	}
	return min(sum, p.ValueFen)
}

func (r *RefundPlan) fill(p Pass, now time.Time) {
	for i, l := range p.Lines {
		x := RefundLine{Title: l.Title, Times: l.Times, Used: l.Used, Left: l.Left, ListFen: l.ListFen}
		if !p.ByTime() {
			if shares := p.Terms.share(); i < len(shares) && p.Terms.Lines[i].Times > 0 {
				x.DiscountFen = shares[i] / money.Fen(p.Terms.Lines[i].Times)
			}
		}
		switch r.Rule {
		case RuleCustomer:
			x.UsedFen = l.ListFen * money.Fen(l.Used)
		case RuleShop:
			x.UsedFen = x.DiscountFen * money.Fen(l.Used)
		}
		r.Lines = append(r.Lines, x)
	}
	if p.ByTime() {
		r.ElapsedDays, r.TotalDays = p.days(now)
	}
}

// spread says to which payments the money goes: WeChat orders and stored value first, newest first, then what the desk hands out.
func (r *RefundPlan) spread(funds []sale.Sale, now time.Time) {
	funds = slices.Clone(funds)
	slices.SortStableFunc(funds, func(a, b sale.Sale) int {
		if a.ByHand(now) != b.ByHand(now) {
			if a.ByHand(now) {
				return 1
			}
			return -1
		}
		return b.PaidAt.Compare(a.PaidAt)
	})
	left := r.RefundFen
	for _, f := range funds {
		n := min(left, f.Left())
		if n <= 0 {
			continue
		}
		x := RefundPart{SaleID: f.ID, No: f.No, At: f.PaidAt, Method: f.Method, PaidFen: f.PriceFen, AmountFen: n, BonusFen: f.BonusOf(n), ByHand: f.ByHand(now)}
		r.Parts, r.BonusFen = append(r.Parts, x), r.BonusFen+x.BonusFen
		left -= n
	}
}

func (r *RefundPlan) explain(p Pass) {
	say := func(format string, args ...any) { r.Explain = append(r.Explain, fmt.Sprintf(format, args...)) }
	say("%s 购买「%s」，实付 %s。", r.PaidAt.In(zone()).Format(time.DateOnly), r.Name, r.PaidFen.Yuan())
	if r.BackFen > 0 {
		say("此前已退 %s。", r.BackFen.Yuan())
	}
	switch r.Rule {
	case RuleCoolOff:
		say("购买未满 %d 天且没有使用：全额退款。", p.Terms.CoolOffDays)
	case RuleShop:
		say("因门店原因退卡：已用部分按折后价计算。")
	default:
		say("自行退卡：已用部分按单次约定价计算。")
	}
	for _, l := range r.Lines {
		switch {
		case l.Used == 0 || r.Rule == RuleCoolOff:
		case r.Rule == RuleCustomer:
			say("%s 已用 %d 次 × %s = %s。", l.Title, l.Used, l.ListFen.Yuan(), l.UsedFen.Yuan())
		case !p.ByTime():
			say("%s 已用 %d 次 × %s（折后价）。", l.Title, l.Used, l.DiscountFen.Yuan())
		}
	}
	if p.ByTime() && r.Rule != RuleCoolOff {
		say("按天计算：共 %d 天，已过 %d 天（暂停不计）。", r.TotalDays, r.ElapsedDays)
	}
	if r.Rule == RuleCustomer && p.ByTime() {
		say("按次与按天两种算法，取扣除较多的一种，最多扣完为止。")
	}
	say("实付 %s − 应扣 %s = 应退 %s。", (r.PaidFen - r.BackFen).Yuan(), r.UsedFen.Yuan(), r.RefundFen.Yuan())
	for _, x := range r.Parts {
		how := "原路退回" + sale.MethodLabel(x.Method)
		if x.ByHand {
			how = "由门店以" + sale.MethodLabel(x.Method) + "退还"
		}
		line := fmt.Sprintf("%s 支付的 %s：退 %s，%s", x.At.In(zone()).Format(time.DateOnly), x.PaidFen.Yuan(), x.AmountFen.Yuan(), how)
		if x.BonusFen > 0 {
			line += fmt.Sprintf("，其中赠送金 %s 退回赠送账户，不折现", x.BonusFen.Yuan())
		}
		say("%s。", line)
	}
}
