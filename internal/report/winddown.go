package report

import (
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/money"
)

// WindDown is what the business would pay back if it closed today: every member's principal, the unused value of passes and memberships, and
// deposits, to where the money came from. Bonus and points are never paid out.
type WindDown struct {
	AsOf      time.Time    `json:"asOf"`
	TotalFen  money.Fen    `json:"totalFen"`
	OnlineFen money.Fen    `json:"onlineFen" doc:"Of it: WeChat sends it back by itself"`
	ByHandFen money.Fen    `json:"byHandFen" doc:"Of it: the shop hands it out"`
	Members   int          `json:"members" doc:"Who get something"`
	Tenders   []BackTender `json:"tenders"`
	Sources   []BackSource `json:"sources"`
	BonusFen  money.Fen    `json:"bonusFen" doc:"Lapses"`
	Explain   []string     `json:"explain"`
}

// BackTender is what goes back by one way.
type BackTender struct {
	Tender    string    `json:"tender" enum:"wechat,cash,card,alipay,balance,other"`
	Label     string    `json:"label"`
	ByHand    bool      `json:"byHand"`
	AmountFen money.Fen `json:"amountFen"`
	Count     int       `json:"count" doc:"Payments"`
}

// BackSource is what goes back of one kind of promise.
type BackSource struct {
	Source    string    `json:"source" enum:"balance,pass,membership,deposit"`
	Label     string    `json:"label"`
	AmountFen money.Fen `json:"amountFen"`
	Count     int       `json:"count"`
}

// BackMember is what one member would get.
type BackMember struct {
	MemberID    int64      `json:"memberId,omitempty" doc:"0: guests' deposits"`
	Name        string     `json:"name" doc:"Masked"`
	PhoneMasked string     `json:"phoneMasked"`
	AmountFen   money.Fen  `json:"amountFen"`
	OnlineFen   money.Fen  `json:"onlineFen"`
	ByHandFen   money.Fen  `json:"byHandFen"`
	Parts       []BackPart `json:"parts"`
}

// BackPart is what one original payment gives back.
type BackPart struct {
	Source    string    `json:"source" enum:"balance,pass,membership,deposit"`
	Title     string    `json:"title"`
	Tender    string    `json:"tender" enum:"wechat,cash,card,alipay,balance,other"`
	ByHand    bool      `json:"byHand"`
	At        time.Time `json:"at" doc:"When it was paid"`
	AmountFen money.Fen `json:"amountFen"`

	memberID int64
}

// refundWindow is how long WeChat Pay takes refunds of an order.
const refundWindow = 365 * 24 * time.Hour

var backLabels = map[string]string{"wechat": "微信支付", "cash": "现金", "card": "刷卡", "alipay": "支付宝", "balance": "储值（按本金）", "other": "其他"}

var sourceLabels = map[string]string{"balance": "储值本金", "pass": "次卡与套餐", "membership": "付费会员", "deposit": "预约定金"}

// tenderOf says how a method of payment goes back.
func tenderOf(method string, paidAt, now time.Time) (tender string, byHand bool) {
	switch {
	case strings.HasPrefix(method, "wechat"):
		return "wechat", now.Sub(paidAt) >= refundWindow
	case method == "cash" || method == "card" || method == "alipay" || method == "balance":
		return method, true
	}
	return "other", true
}

// fund is a payment for something that is still owed in part.
type fund struct {
	Method           string
	PaidAt           time.Time
	Left             money.Fen // of what was paid, not given back yet
	Principal, Bonus money.Fen // when stored value paid
}

// spreadBack shares what is owed of a purchase over the payments for it, newest first. What stored value paid goes back by its principal alone; what no
// payment covers is nobody's to get: it was a gift.
func spreadBack(owed money.Fen, funds []fund, base BackPart, now time.Time) (out []BackPart) {
	for _, f := range funds {
		n := min(owed, f.Left)
		if n <= 0 {
			continue
		}
		owed -= n
		p := base
		p.Tender, p.ByHand = tenderOf(f.Method, f.PaidAt, now)
		p.At, p.AmountFen = f.PaidAt, n
		if p.Tender == "balance" {
			p.AmountFen = money.Split(n, []money.Fen{f.Principal, f.Bonus})[0]
		}
		if p.AmountFen > 0 {
			out = append(out, p)
		}
	}
	return out
}

// backSums adds parts up by way and by source, in a fixed order.
type backSums struct {
	tenders map[BackTender]*BackTender
	sources map[string]*BackSource
}

func (b *backSums) add(source, tender string, byHand bool, amount money.Fen, n int) {
	if b.tenders == nil {
		b.tenders, b.sources = map[BackTender]*BackTender{}, map[string]*BackSource{}
	}
	key := BackTender{Tender: tender, ByHand: byHand}
	if b.tenders[key] == nil {
		label := backLabels[tender]
		if tender == "wechat" && byHand {
			label += "（超过一年，门店退还）"
		}
		b.tenders[key] = &BackTender{Tender: tender, ByHand: byHand, Label: label}
	}
	if b.sources[source] == nil {
		b.sources[source] = &BackSource{Source: source, Label: sourceLabels[source]}
	}
	b.tenders[key].AmountFen += amount
	b.tenders[key].Count += n
	b.sources[source].AmountFen += amount
	b.sources[source].Count += n
}

func (b *backSums) into(w *WindDown) {
	w.Tenders, w.Sources = []BackTender{}, []BackSource{}
	for _, tender := range []string{"wechat", "alipay", "card", "cash", "balance", "other"} {
		for _, byHand := range []bool{false, true} {
			if t := b.tenders[BackTender{Tender: tender, ByHand: byHand}]; t != nil {
				w.Tenders = append(w.Tenders, *t)
				w.TotalFen += t.AmountFen
				if byHand {
					w.ByHandFen += t.AmountFen
				} else {
					w.OnlineFen += t.AmountFen
				}
			}
		}
	}
	for _, source := range []string{"balance", "pass", "membership", "deposit"} {
		if s := b.sources[source]; s != nil {
			w.Sources = append(w.Sources, *s)
		}
	}
}

// ofMember gathers the parts of one member.
func ofMember(id int64, parts []BackPart) BackMember {
	m := BackMember{MemberID: id, Parts: parts}
	slices.SortStableFunc(m.Parts, func(x, y BackPart) int { return y.At.Compare(x.At) })
	for _, p := range m.Parts {
		m.AmountFen += p.AmountFen
		if p.ByHand {
			m.ByHandFen += p.AmountFen
		} else {
			m.OnlineFen += p.AmountFen
		}
	}
	return m
}
