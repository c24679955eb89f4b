package wallet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// refundWindow is how long WeChat Pay takes refunds of an order (developer documentation: within 365 days).
const refundWindow = 365 * 24 * time.Hour

// Part is what a refund takes from one top-up.
type Part struct {
	TopupID            int64     `json:"topupId"`
	PaymentID          int64     `json:"paymentId,omitempty"`
	At                 time.Time `json:"at"`
	Method             string    `json:"method" enum:"wechat,wechat_native,cash,card,alipay"`
	PaidFen            money.Fen `json:"paidFen"`
	AlreadyRefundedFen money.Fen `json:"alreadyRefundedFen"`
	RefundFen          money.Fen `json:"refundFen"`
	BonusBackFen       money.Fen `json:"bonusBackFen"`
	ByHand             bool      `json:"byHand" doc:"The desk hands this part out: it was not paid by WeChat, or too long ago"`
}

// Plan says how an amount goes back.
type Plan struct {
	PlanHash      string    `json:"planHash"`
	RefundableFen money.Fen `json:"refundableFen" doc:"The most that can go back now"`
	RequestedFen  money.Fen `json:"requestedFen"`
	BonusBackFen  money.Fen `json:"bonusBackFen"`
	ShortfallFen  money.Fen `json:"shortfallFen" doc:"What of the request cannot go back"`
	Parts         []Part    `json:"parts"`
	Explain       []string  `json:"explain"`
}

// source is a top-up with what is left of it and promised to nothing else.
type source struct {
	Topup
	principal, bonus     int64
	principalIx, bonusIx []ledger.Lot
}

// refundable is how much principal of the top-up may still go back: what was paid, less what went back, less the paid share of what was
// consumed. When the bonus was spent ahead of its share, as much principal stays in the wallet to be spent; it is never forfeited (X01).
// Rounded up, in favour of the member. What was consumed is counted from the start, so that several small refunds give what one gives.
func (s source) refundable() money.Fen {
	paid, given := int64(s.AmountFen), int64(s.BonusFen)
	used := paid - int64(s.RefundedFen) - s.principal + given - int64(s.BonusBack) - s.bonus
	if given <= 0 {
		return money.Fen(min(s.principal, paid-int64(s.RefundedFen)))
	}
	fair := paid - int64(s.RefundedFen) - used*paid/(paid+given)
	return money.Fen(max(min(s.principal, fair), 0))
}

func (s source) byHand(now time.Time) bool {
	wechat := s.Method == MethodWeChat || s.Method == MethodWeChatNative
	return !wechat || now.Sub(s.CreatedAt) >= refundWindow
}

// PlanRefund says how amount would go back: WeChat Pay orders first, newest first, then what the desk hands out. amount 0 asks for
// everything. It is pure: the same top-ups and lots give the same plan and hash.
func PlanRefund(b *ledger.Book, topups []Topup, amount money.Fen, now time.Time) Plan {
	sources := sourcesOf(b, topups)
	slices.SortStableFunc(sources, func(x, y source) int {
		if h := boolInt(x.byHand(now)) - boolInt(y.byHand(now)); h != 0 {
			return h
		}
		return y.CreatedAt.Compare(x.CreatedAt)
	})
	p := Plan{RequestedFen: amount, Parts: []Part{}, Explain: []string{}}
	free := money.Fen(b.Available(ledger.Principal))
	var early money.Fen
	for _, s := range sources {
		p.RefundableFen += s.refundable()
		early += money.Fen(s.principal) - s.refundable()
	}
	p.RefundableFen = min(p.RefundableFen, free)
	if amount == 0 {
		p.RequestedFen = p.RefundableFen
	}
	left := min(p.RequestedFen, p.RefundableFen)
	p.ShortfallFen = p.RequestedFen - left
	for _, s := range sources {
		max := s.refundable()
		n := min(left, max)
		if n == 0 {
			continue
		}
		back := money.Fen(s.bonus)
		if n < max {
			back = money.Fen((s.bonus*int64(n) + int64(max) - 1) / int64(max))
		}
		p.Parts = append(p.Parts, Part{TopupID: s.ID, PaymentID: s.PaymentID, At: s.CreatedAt, Method: s.Method, PaidFen: s.AmountFen,
			AlreadyRefundedFen: s.RefundedFen, RefundFen: n, BonusBackFen: back, ByHand: s.byHand(now)})
		p.BonusBackFen += back
		left -= n
	}
	p.explain(b, early)
	p.PlanHash = p.hash()
	return p
}

func (p *Plan) explain(b *ledger.Book, early money.Fen) {
	p.Explain = append(p.Explain, fmt.Sprintf("账户现有本金 %s、赠送 %s。只退本金，赠送不折现。",
		money.Fen(b.Balance(ledger.Principal)).Yuan(), money.Fen(b.Balance(ledger.Bonus)).Yuan()))
	for _, x := range p.Parts {
		how := "原路退回微信支付"
		if x.ByHand {
			how = "由门店以" + MethodLabel(x.Method) + "退还"
		}
		line := fmt.Sprintf("%s 充值的 %s：退 %s，%s", x.At.In(zone()).Format("2006-01-02"), x.PaidFen.Yuan(), x.RefundFen.Yuan(), how)
		if x.BonusBackFen > 0 {
			line += fmt.Sprintf("，同时收回赠送 %s", x.BonusBackFen.Yuan())
		}
		p.Explain = append(p.Explain, line+"。")
	}
	if held := b.Held(ledger.Principal); held > 0 {
		p.Explain = append(p.Explain, fmt.Sprintf("有 %s 本金正被一笔未完成的结算占用，完成或取消后才能退。", money.Fen(held).Yuan()))
	}
	if early > 0 {
		p.Explain = append(p.Explain, fmt.Sprintf("赠送已提前用掉一部分，与之对应的 %s 本金暂不能退，仍可消费。", early.Yuan()))
	}
	if p.ShortfallFen > 0 {
		p.Explain = append(p.Explain, fmt.Sprintf("申请 %s，最多可退 %s，还差 %s 不能退。", p.RequestedFen.Yuan(), p.RefundableFen.Yuan(), p.ShortfallFen.Yuan()))
	}
}

func (p Plan) hash() string {
	b, _ := json.Marshal([]any{p.RequestedFen, p.RefundableFen, p.Parts}) // plain values always marshal
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}

// takes are the lots that the plan consumes.
func (p Plan) takes(b *ledger.Book, topups []Topup) []ledger.Take {
	var out []ledger.Take
	for _, s := range sourcesOf(b, topups) {
		i := slices.IndexFunc(p.Parts, func(x Part) bool { return x.TopupID == s.ID })
		if i < 0 {
			continue
		}
		out = append(out, fromLots(s.principalIx, int64(p.Parts[i].RefundFen))...)
		out = append(out, fromLots(s.bonusIx, int64(p.Parts[i].BonusBackFen))...)
	}
	return out
}

func fromLots(lots []ledger.Lot, amount int64) (out []ledger.Take) {
	for _, l := range lots {
		if n := min(amount, l.Remaining); n > 0 {
			out = append(out, ledger.Take{LotID: l.ID, Unit: l.Unit, Amount: n})
			amount -= n
		}
	}
	return out
}

func sourcesOf(b *ledger.Book, topups []Topup) []source {
	var out []source
	lots := unheld(b, b.Lots(ledger.Principal, ledger.Bonus))
	for _, t := range topups {
		s := source{Topup: t}
		for _, l := range lots {
			if l.RefKind != "topup" || l.RefID != t.ID {
				continue
			}
			if l.Unit == ledger.Principal {
				s.principal += l.Remaining
				s.principalIx = append(s.principalIx, l)
			} else {
				s.bonus += l.Remaining
				s.bonusIx = append(s.bonusIx, l)
			}
		}
		if s.principal > 0 {
			out = append(out, s)
		}
	}
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
