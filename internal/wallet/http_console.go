package wallet

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
)

func (s *Service) desk(ctx context.Context, a DeskAsk) (DeskTopup, error) {
	t, p, err := s.Desk(ctx, Ask{MemberID: a.MemberID, StoreID: a.StoreID, PlanID: a.PlanID, AmountFen: a.AmountFen, Method: a.Tender, Reference: a.Reference})
	return deskView(t, p), err
}

// deskState reads a desk top-up, asking WeChat while it is pending: the till polls it.
func (s *Service) deskState(ctx context.Context, id int64) (DeskTopup, error) {
	t, err := s.Topup(ctx, 0, id)
	if err != nil {
		return DeskTopup{}, err
	}
	if !actor.From(ctx).InStore(t.StoreID) {
		return DeskTopup{}, fault.ErrNotFound
	}
	var p payment.Prepared
	if t.State == StatePending && t.PaymentID != 0 {
		// Between its expiry and the job that closes it a top-up waits without a code: the till keeps polling.
		if p, err = s.payments.Prepay(ctx, t.PaymentID); err != nil && fault.As(err).Kind != fault.Conflict {
			return DeskTopup{}, err
		}
	}
	return deskView(t, p), nil
}

// RefundView is a refund as the console shows it.
type RefundView struct {
	RefundID     int64      `json:"refundId"`
	No           string     `json:"no"`
	MemberID     int64      `json:"memberId"`
	MemberName   string     `json:"memberName" doc:"Masked"`
	StoreName    string     `json:"storeName"`
	AmountFen    money.Fen  `json:"amountFen"`
	BonusBackFen money.Fen  `json:"bonusBackFen"`
	Reason       string     `json:"reason"`
	State        string     `json:"state" enum:"processing,done,attention"`
	StaffName    string     `json:"staffName"`
	CreatedAt    time.Time  `json:"createdAt"`
	DoneAt       *time.Time `json:"doneAt,omitempty"`
	Parts        []PartView `json:"parts"`
}

// PartView is what one original payment gives back.
type PartView struct {
	TopupID      int64     `json:"topupId"`
	PaymentID    int64     `json:"paymentId,omitempty"`
	Method       string    `json:"method" enum:"wechat,wechat_native,cash,card,alipay"`
	AmountFen    money.Fen `json:"amountFen"`
	BonusBackFen money.Fen `json:"bonusBackFen"`
	State        string    `json:"state" enum:"processing,done,attention"`
}

// refundViews shows refunds with names.
func (s *Service) refundViews(ctx context.Context, list []Refund) ([]RefundView, error) {
	var ids []int64
	for _, r := range list {
		ids = append(ids, r.MemberID)
	}
	names, err := s.members.MaskedNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]RefundView, 0, len(list))
	for _, r := range list {
		v := refundView(r)
		v.MemberName, v.StoreName = names[r.MemberID], "线上"
		if st, err := s.shops.Store(ctx, r.StoreID); err == nil {
			v.StoreName = st.Name
		}
		out = append(out, v)
	}
	return out, nil
}

// oneRefund shows what a use case returned.
func (s *Service) oneRefund(ctx context.Context, f Refund, err error) (RefundView, error) {
	if err != nil {
		return RefundView{}, err
	}
	views, err := s.refundViews(ctx, []Refund{f})
	if err != nil {
		return RefundView{}, err
	}
	return views[0], nil
}

func refundView(r Refund) RefundView {
	v := RefundView{RefundID: r.ID, No: r.No, MemberID: r.MemberID, AmountFen: r.AmountFen, BonusBackFen: r.BonusBackFen, Reason: r.Reason, State: r.State,
		StaffName: r.StaffName, CreatedAt: r.CreatedAt}
	if !r.DoneAt.IsZero() {
		v.DoneAt = &r.DoneAt
	}
	for _, p := range r.Parts {
		v.Parts = append(v.Parts, PartView(p))
	}
	return v
}

// RefundAsk confirms a refund plan.
type RefundAsk struct {
	AmountFen money.Fen `json:"amountFen" minimum:"1" maximum:"100000000"`
	Reason    string    `json:"reason" minLength:"2" maxLength:"200"`
	PlanHash  string    `json:"planHash" minLength:"8" maxLength:"64"`
	StoreID   int64     `json:"storeId,omitempty" minimum:"0" doc:"Where the refund is handled; it stands in that store's books"`
}

type planInput struct {
	ID        int64 `path:"id" minimum:"1"`
	AmountFen int64 `query:"amountFen" minimum:"0" maximum:"100000000"`
}

type refundListInput struct {
	httpapi.Paging
	MemberID int64  `query:"memberId" minimum:"0"`
	StoreID  int64  `query:"storeId" minimum:"0"`
	State    string `query:"state" enum:"processing,done,attention"`
}

type consoleDeskAsk struct {
	StoreID   int64     `json:"storeId" minimum:"1"`
	PlanID    int64     `json:"planId,omitempty" minimum:"0"`
	AmountFen money.Fen `json:"amountFen" minimum:"1" maximum:"100000000"`
	Tender    string    `json:"tender" enum:"cash,card,alipay,wechat_native"`
	Reference string    `json:"reference,omitempty" maxLength:"64"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleTopup", Method: http.MethodPost, Path: "/api/console/members/{id}/topups", Who: httpapi.Console, Permission: perm.TopupDesk, Idempotent: true, Summary: "Top a member up at the desk"},
		func(ctx context.Context, in *httpapi.ByIDBody[consoleDeskAsk]) (DeskTopup, error) {
			b := in.Body
			return s.desk(ctx, DeskAsk{StoreID: b.StoreID, MemberID: in.ID, PlanID: b.PlanID, AmountFen: b.AmountFen, Tender: b.Tender, Reference: b.Reference})
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleTopupGet", Method: http.MethodGet, Path: "/api/console/topups/{id}", Who: httpapi.Console, Permission: perm.TopupDesk, Summary: "State of a desk top-up"},
		func(ctx context.Context, in *httpapi.ByID) (DeskTopup, error) { return s.deskState(ctx, in.ID) })
	httpapi.Register(r, httpapi.Op{ID: "consoleRefundPlan", Method: http.MethodGet, Path: "/api/console/members/{id}/refund-plan", Who: httpapi.Console, Permission: perm.TopupRefund, Summary: "How an amount would go back"},
		func(ctx context.Context, in *planInput) (Plan, error) {
			return s.PlanFor(ctx, in.ID, money.Fen(in.AmountFen))
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleRefundCreate", Method: http.MethodPost, Path: "/api/console/members/{id}/refunds", Who: httpapi.Console, Permission: perm.TopupRefund, Idempotent: true, Summary: "Give principal back"},
		func(ctx context.Context, in *httpapi.ByIDBody[RefundAsk]) (RefundView, error) {
			f, err := s.Refund(ctx, in.ID, in.Body.StoreID, in.Body.AmountFen, in.Body.Reason, in.Body.PlanHash)
			return s.oneRefund(ctx, f, err)
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleRefundList", Method: http.MethodGet, Path: "/api/console/refunds", Who: httpapi.Console, Permission: perm.PaymentRead, Summary: "Refunds, newest first"},
		func(ctx context.Context, in *refundListInput) (httpapi.Page[RefundView], error) {
			before, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
			list, err := listRefunds(ctx, s.db, refundFilter{member: in.MemberID, store: in.StoreID, state: in.State, before: before}, in.Limit)
			if err != nil {
				return httpapi.Page[RefundView]{}, err
			}
			page := httpapi.Page[RefundView]{}
			page.Items, err = s.refundViews(ctx, list)
			if len(list) == in.Limit {
				page.Next = strconv.FormatInt(list[len(list)-1].ID, 10)
			}
			return page, err
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleRefund", Method: http.MethodGet, Path: "/api/console/refunds/{id}", Who: httpapi.Console, Permission: perm.PaymentRead, Summary: "A refund with its parts"},
		func(ctx context.Context, in *httpapi.ByID) (RefundView, error) {
			f, err := s.RefundByID(ctx, in.ID)
			return s.oneRefund(ctx, f, err)
		})
}
