package wallet

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

// PlanList is what an owner may choose from.
type PlanList struct {
	Items         []PlanChoice `json:"items"`
	CustomAllowed bool         `json:"customAllowed"`
	CustomMinFen  money.Fen    `json:"customMinFen"`
	CustomMaxFen  money.Fen    `json:"customMaxFen"`
	CardCapFen    money.Fen    `json:"cardCapFen" doc:"The most principal that one card may hold"`
	CapLeftFen    money.Fen    `json:"capLeftFen"`
}

// PlanChoice is a top-up plan as the owner sees it.
type PlanChoice struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	AmountFen money.Fen `json:"amountFen"`
	BonusFen  money.Fen `json:"bonusFen"`
	Note      string    `json:"note"`
	Gift      string    `json:"gift,omitempty" doc:"What it brings beside the bonus, in words"`
}

// TopupAsk is an owner's wish to top up.
type TopupAsk struct {
	PlanID    int64     `json:"planId,omitempty" minimum:"0"`
	AmountFen money.Fen `json:"amountFen" minimum:"1" maximum:"100000000"`
}

// TopupStarted is what the phone needs to pay.
type TopupStarted struct {
	TopupID   int64              `json:"topupId"`
	AmountFen money.Fen          `json:"amountFen"`
	BonusFen  money.Fen          `json:"bonusFen"`
	ExpiresAt time.Time          `json:"expiresAt"`
	Pay       wechat.JSAPIParams `json:"pay"`
}

// TopupView is a top-up as the owner sees it.
type TopupView struct {
	ID              int64      `json:"id"`
	State           string     `json:"state" enum:"pending,credited,closed,refunded"`
	AmountFen       money.Fen  `json:"amountFen"`
	BonusFen        money.Fen  `json:"bonusFen"`
	CreatedAt       time.Time  `json:"createdAt"`
	CreditedAt      *time.Time `json:"creditedAt,omitempty"`
	BalanceAfterFen *money.Fen `json:"balanceAfterFen,omitempty"`
	Message         string     `json:"message"`
}

// PayAgain carries fresh payment parameters.
type PayAgain struct {
	Pay wechat.JSAPIParams `json:"pay"`
}

func view(t Topup) TopupView {
	v := TopupView{ID: t.ID, State: t.State, AmountFen: t.AmountFen, BonusFen: t.BonusFen, CreatedAt: t.CreatedAt}
	switch t.State {
	case StateCredited, StateRefunded:
		v.CreditedAt, v.BalanceAfterFen = &t.CreditedAt, &t.BalanceFen
		v.Message = "充值成功，已到账"
		if t.State == StateRefunded {
			v.Message = "这笔充值已退款"
		}
	case StateClosed:
		v.Message = "订单已关闭，没有扣款；若已付款会自动原路退回"
	default:
		v.Message = "等待支付结果"
	}
	return v
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerTopupPlans", Method: http.MethodGet, Path: "/api/owner/topup-plans", Who: httpapi.Member, Summary: "What I can top up"},
		func(ctx context.Context, _ *httpapi.None) (PlanList, error) { return s.planList(ctx) })
	httpapi.Register(r, httpapi.Op{ID: "ownerTopupCreate", Method: http.MethodPost, Path: "/api/owner/topups", Who: httpapi.Member, Idempotent: true, Summary: "Begin a top-up by WeChat Pay"},
		func(ctx context.Context, in *httpapi.Body[TopupAsk]) (TopupStarted, error) {
			t, p, err := s.Begin(ctx, in.Body.PlanID, in.Body.AmountFen)
			if err != nil {
				return TopupStarted{}, err
			}
			return TopupStarted{TopupID: t.ID, AmountFen: t.AmountFen, BonusFen: t.BonusFen, ExpiresAt: t.ExpiresAt, Pay: jsapi(p)}, nil
		})
	one := func(op, method, path, summary string, f func(ctx context.Context, memberID, id int64) (Topup, error)) {
		httpapi.Register(r, httpapi.Op{ID: op, Method: method, Path: path, Who: httpapi.Member, Summary: summary},
			func(ctx context.Context, in *httpapi.ByID) (TopupView, error) {
				t, err := f(ctx, actor.From(ctx).MemberID, in.ID)
				return view(t), err
			})
	}
	one("ownerTopup", http.MethodGet, "/api/owner/topups/{id}", "State of a top-up", s.Topup)
	one("ownerTopupCheck", http.MethodPost, "/api/owner/topups/{id}/check", "Ask WeChat now", s.Check)
	one("ownerTopupCancel", http.MethodPost, "/api/owner/topups/{id}/cancel", "Give up a top-up that is not paid", s.Cancel)
	httpapi.Register(r, httpapi.Op{ID: "ownerTopupPay", Method: http.MethodPost, Path: "/api/owner/topups/{id}/pay", Who: httpapi.Member, Summary: "Pay the same top-up again"},
		func(ctx context.Context, in *httpapi.ByID) (PayAgain, error) {
			_, p, err := s.Pay(ctx, actor.From(ctx).MemberID, in.ID)
			return PayAgain{Pay: jsapi(p)}, err
		})
	s.staffRoutes(r)
	s.consoleRoutes(r)
}

func jsapi(p payment.Prepared) wechat.JSAPIParams {
	if p.Jsapi == nil {
		return wechat.JSAPIParams{}
	}
	return *p.Jsapi
}

func (s *Service) planList(ctx context.Context) (PlanList, error) {
	l, err := s.limits(ctx)
	if err != nil {
		return PlanList{}, err
	}
	plans, err := s.plans.TopupPlans(ctx, 0)
	if err != nil {
		return PlanList{}, err
	}
	b, err := ledger.BalanceOf(ctx, s.db, actor.From(ctx).MemberID)
	if err != nil {
		return PlanList{}, err
	}
	items := choices(plans)
	if s.Gifts != nil {
		amounts := make([]money.Fen, len(items))
		for i, p := range items {
			amounts[i] = p.AmountFen
		}
		gifts, err := s.Gifts(ctx, actor.From(ctx).MemberID, amounts)
		if err != nil {
			return PlanList{}, err
		}
		for i := range items {
			items[i].Gift = gifts[i]
		}
	}
	return PlanList{Items: items, CustomAllowed: l.custom, CustomMinFen: l.min, CustomMaxFen: l.max, CardCapFen: l.cap,
		CapLeftFen: max(l.cap-money.Fen(b.Principal), 0)}, nil
}

func choices(plans []catalog.TopupPlan) []PlanChoice {
	out := make([]PlanChoice, 0, len(plans))
	for _, p := range plans {
		out = append(out, PlanChoice{ID: p.ID, Name: p.Name, AmountFen: p.AmountFen, BonusFen: p.BonusFen, Note: p.Note})
	}
	return out
}

// DeskAsk is a top-up at the counter.
type DeskAsk struct {
	StoreID   int64     `json:"storeId" minimum:"1"`
	MemberID  int64     `json:"memberId" minimum:"1"`
	PlanID    int64     `json:"planId,omitempty" minimum:"0"`
	AmountFen money.Fen `json:"amountFen" minimum:"1" maximum:"100000000"`
	Tender    string    `json:"tender" enum:"cash,card,alipay,wechat_native"`
	Reference string    `json:"reference,omitempty" maxLength:"64"`
}

// DeskTopup is the answer to the counter.
type DeskTopup struct {
	TopupID         int64      `json:"topupId"`
	No              string     `json:"no"`
	State           string     `json:"state" enum:"pending,credited,closed,refunded"`
	AmountFen       money.Fen  `json:"amountFen"`
	BonusFen        money.Fen  `json:"bonusFen"`
	BalanceAfterFen *money.Fen `json:"balanceAfterFen,omitempty"`
	CodeURL         string     `json:"codeUrl,omitempty" doc:"The customer scans it to pay"`
	PayExpiresAt    *time.Time `json:"payExpiresAt,omitempty"`
}

func deskView(t Topup, p payment.Prepared) DeskTopup {
	v := DeskTopup{TopupID: t.ID, No: t.No, State: t.State, AmountFen: t.AmountFen, BonusFen: t.BonusFen, CodeURL: p.CodeURL}
	if !t.CreditedAt.IsZero() {
		v.BalanceAfterFen = &t.BalanceFen
	}
	if t.State == StatePending {
		v.PayExpiresAt = &t.ExpiresAt
	}
	return v
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "staffTopup", Method: http.MethodPost, Path: "/api/staff/topups", Who: httpapi.Staff, Permission: perm.TopupDesk, Idempotent: true, Summary: "Top a member up at the desk"},
		func(ctx context.Context, in *httpapi.Body[DeskAsk]) (DeskTopup, error) { return s.desk(ctx, in.Body) })
	httpapi.Register(r, httpapi.Op{ID: "staffTopupGet", Method: http.MethodGet, Path: "/api/staff/topups/{id}", Who: httpapi.Staff, Permission: perm.TopupDesk, Summary: "State of a desk top-up"},
		func(ctx context.Context, in *httpapi.ByID) (DeskTopup, error) { return s.deskState(ctx, in.ID) })
}
