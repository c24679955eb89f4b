package pass

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/sale"
)

// PlanView is a plan as buyers see it.
type PlanView struct {
	ID int64 `json:"id"`
	Offer
	ListFen   money.Fen `json:"listFen" doc:"What the counted uses would cost one by one"`
	PerMember int64     `json:"perMember,omitempty"`
	SaleTo    string    `json:"saleTo,omitempty"`
	StockLeft *int64    `json:"stockLeft,omitempty" doc:"Absent: no limit"`
	Explain   []string  `json:"explain"`
}

func (s *Service) planViews(ctx context.Context, storeID int64) ([]PlanView, error) {
	plans, err := s.OnSale(ctx, storeID)
	if err != nil {
		return nil, err
	}
	out := make([]PlanView, 0, len(plans))
	for _, p := range plans {
		t, err := s.terms(ctx, p.Offer)
		if err != nil {
			return nil, err
		}
		v := PlanView{ID: p.ID, Offer: p.Offer, PerMember: p.PerMember, SaleTo: p.SaleTo, Explain: t.Explain()}
		for _, l := range p.Lines {
			v.ListFen += l.ListFen * money.Fen(l.Times)
		}
		if p.Stock != nil {
			left := *p.Stock - p.Sold
			v.StockLeft = &left
		}
		out = append(out, v)
	}
	return out, nil
}

// OwnerBuyAsk is an owner's wish to buy a pass.
type OwnerBuyAsk struct {
	PlanID  int64  `json:"planId" minimum:"1"`
	Plate   string `json:"plate,omitempty" maxLength:"16" doc:"For a plan that is bound to plates"`
	StoreID int64  `json:"storeId,omitempty" minimum:"0" doc:"0: online"`
	Pay     string `json:"pay" enum:"wechat,balance"`
}

// OwnerRechargeAsk is an owner's wish to add times.
type OwnerRechargeAsk struct {
	Pay string `json:"pay" enum:"wechat,balance"`
}

// GiftMade is a pass on its way to somebody else.
type GiftMade struct {
	View
	Page string `json:"page" doc:"Mini-program page that claims it: share it"`
}

// ClaimAsk takes a pass that somebody gave.
type ClaimAsk struct {
	Code  string `json:"code" minLength:"4" maxLength:"24"`
	Plate string `json:"plate,omitempty" maxLength:"16" doc:"For a pass that is bound to plates"`
}

// PlateAsk binds a plate, or changes one for another.
type PlateAsk struct {
	Plate string `json:"plate" minLength:"1" maxLength:"16"`
	Old   string `json:"old,omitempty" maxLength:"16" doc:"The plate that goes; empty adds one"`
}

// RenewalAsk switches the renewal.
type RenewalAsk struct {
	On bool `json:"on"`
}

type heldInput struct {
	httpapi.ShortPaging
	State string `query:"state" enum:"open,all" default:"open"`
}

type planListInput struct {
	httpapi.ShortPaging
	StoreID int64 `query:"storeId" minimum:"0"`
}

type refundPlanInput struct {
	ID    int64  `path:"id" minimum:"1"`
	Fault string `query:"fault" enum:"shop,customer" default:"customer"`
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	s.ownerRoutes(r)
	s.staffRoutes(r)
	s.consoleRoutes(r)
}

func (s *Service) ownerRoutes(r *httpapi.Router) {
	me := func(ctx context.Context) int64 { return actor.From(ctx).MemberID }
	op := func(id, method, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/owner" + path, Who: httpapi.Member, Summary: summary}
	}
	guesses := httpapi.NewGuesses()
	money := func(o httpapi.Op) httpapi.Op { o.Idempotent = true; return o }
	show := func(p Pass, err error) (View, error) {
		if err != nil {
			return View{}, err
		}
		return view(p, s.db.Now(), true), nil
	}
	httpapi.Register(r, op("ownerPassPlans", http.MethodGet, "/pass-plans", "Passes that I can buy"),
		func(ctx context.Context, in *planListInput) (httpapi.Page[PlanView], error) {
			all, err := s.planViews(ctx, in.StoreID)
			return httpapi.Cut(all, in.ShortPaging, func(v PlanView) int64 { return v.ID }), err
		})
	httpapi.Register(r, money(op("ownerPassBuy", http.MethodPost, "/passes", "Buy a pass")),
		func(ctx context.Context, in *httpapi.Body[OwnerBuyAsk]) (sale.Started, error) {
			b := in.Body
			return sale.ShowStarted(s.sales.Begin(ctx, sale.Buy{Kind: SalePass, SubjectID: b.PlanID, MemberID: me(ctx), StoreID: b.StoreID, Plate: b.Plate}, sale.Pay{Method: b.Pay}))
		})
	httpapi.Register(r, op("ownerPassList", http.MethodGet, "/passes", "My passes, newest first"),
		func(ctx context.Context, in *heldInput) (httpapi.Page[View], error) {
			list, err := s.Held(ctx, me(ctx), in.State == "all")
			return httpapi.Cut(views(list, s.db.Now(), true), in.ShortPaging, func(v View) int64 { return v.ID }), err
		})
	httpapi.Register(r, op("ownerPass", http.MethodGet, "/passes/{id}", "A pass with its frozen terms, uses and history"),
		func(ctx context.Context, in *httpapi.ByID) (Detail, error) {
			p, err := s.Pass(ctx, me(ctx), in.ID)
			if err != nil {
				return Detail{}, err
			}
			return s.detail(ctx, p, true)
		})
	httpapi.Register(r, op("ownerPassGift", http.MethodPost, "/passes/{id}/gift", "Give a pass to somebody by a code"),
		func(ctx context.Context, in *httpapi.ByID) (GiftMade, error) {
			p, err := s.Gift(ctx, me(ctx), in.ID)
			if err != nil {
				return GiftMade{}, err
			}
			return GiftMade{View: view(p, s.db.Now(), true), Page: "pages/club/pass-claim?code=" + p.GiftCode}, nil
		})
	httpapi.Register(r, op("ownerPassGiftCancel", http.MethodDelete, "/passes/{id}/gift", "Take a gift back that nobody has claimed"),
		func(ctx context.Context, in *httpapi.ByID) (View, error) {
			return show(s.TakeBack(ctx, me(ctx), in.ID))
		})
	httpapi.Register(r, op("ownerPassClaim", http.MethodPost, "/pass-claims", "Take a pass that somebody gave"),
		func(ctx context.Context, in *httpapi.Body[ClaimAsk]) (View, error) {
			return show(httpapi.Try(ctx, guesses, s.db.Now(), func() (Pass, error) { return s.Claim(ctx, me(ctx), in.Body.Code, in.Body.Plate) }, ErrClaim))
		})
	httpapi.Register(r, op("ownerPassPause", http.MethodPost, "/passes/{id}/pause", "Stop the clock of a pass"),
		func(ctx context.Context, in *httpapi.ByID) (View, error) {
			return show(s.Pause(ctx, me(ctx), in.ID, "车主暂停"))
		})
	httpapi.Register(r, op("ownerPassResume", http.MethodPost, "/passes/{id}/resume", "Start the clock again; the end moves by the pause"),
		func(ctx context.Context, in *httpapi.ByID) (View, error) {
			return show(s.Resume(ctx, me(ctx), in.ID))
		})
	httpapi.Register(r, op("ownerPassPlate", http.MethodPost, "/passes/{id}/plate", "Bind a plate, or change one"),
		func(ctx context.Context, in *httpapi.ByIDBody[PlateAsk]) (View, error) {
			return show(s.Plate(ctx, me(ctx), in.ID, in.Body.Plate, in.Body.Old))
		})
	httpapi.Register(r, money(op("ownerPassRecharge", http.MethodPost, "/passes/{id}/recharge", "Add times to a pass")),
		func(ctx context.Context, in *httpapi.ByIDBody[OwnerRechargeAsk]) (sale.Started, error) {
			return sale.ShowStarted(s.sales.Begin(ctx, sale.Buy{Kind: SaleRecharge, SubjectID: in.ID, MemberID: me(ctx)}, sale.Pay{Method: in.Body.Pay}))
		})
	httpapi.Register(r, op("ownerPassRefundPlan", http.MethodGet, "/passes/{id}/refund-plan", "What would go back, and how it is computed"),
		func(ctx context.Context, in *refundPlanInput) (RefundPlan, error) {
			return s.RefundPlanFor(ctx, me(ctx), in.ID, in.Fault)
		})
	httpapi.Register(r, op("ownerPassRenewal", http.MethodPut, "/passes/{id}/renewal", "Turn the renewal on or off"),
		func(ctx context.Context, in *httpapi.ByIDBody[RenewalAsk]) (View, error) {
			return show(s.Renewal(ctx, me(ctx), in.ID, in.Body.On))
		})
}
